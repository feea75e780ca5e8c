//! Tokens, and the login that makes one.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use flotilla_api::Problem;
use flotilla_api::access::{Access, Login, MadeToken, NewToken, Token};
use flotilla_api::audit::AuditEntry;
use flotilla_group::accounts::UserRecord;
use flotilla_group::rights::Right;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::paging::{Page, Paging, Window};
use super::parameters::{Path, Query};
use super::problem::Failure;

/// How long the token of a login is good, unless it says otherwise.
const LOGIN_S: u64 = 24 * 3600;
/// And at most.
const LONGEST_LOGIN_S: u64 = 90 * 24 * 3600;
/// The longest life of a token: ten years. Beyond, it is meant to have no end.
const LONGEST_S: u64 = 3_653 * 24 * 3600;

/// Whose tokens.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    #[serde(default)]
    user: Option<String>,
    /// As for every list.
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<usize>,
    /// As for every list.
    after: Option<String>,
}

/// `GET /api/v1/tokens?user=`: the caller's own; an admin gets those of `user`, or all.
pub(super) async fn list(
    State(api): State<Api>,
    Query(whose): Query<Whose>,
    uri: Uri,
    caller: Caller,
) -> Result<Page<Token>, Failure> {
    let window = Window { limit: whose.limit, after: whose.after };
    let user = match caller.require_any(Right::Administer) {
        Ok(()) => whose.user,
        Err(refused) => match whose.user {
            Some(user) if user != caller.name() => return Err(refused),
            _ => Some(caller.name().to_owned()),
        },
    };
    let tokens = api.accounts.tokens().list(user.as_deref()).await?;
    Paging::new(window, uri).of(tokens, |token| (token.created_ms, token.id.clone()))
}

/// `POST /api/v1/tokens`: one's own, or as an admin that of another user. It is shown in this answer and never again.
pub(super) async fn make(
    State(api): State<Api>,
    caller: Caller,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), Failure> {
    let user = match &new.user {
        Some(user) if user != caller.name() => {
            caller.require_any(Right::Administer)?;
            user
        }
        Some(user) => user,
        None => caller.name(),
    };
    let made = make_for(&api, &caller, user, &new).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Makes a token for a user, whom the caller may make one for. It does not outlive the token that asks for it.
pub(super) async fn make_for(api: &Api, caller: &Caller, user: &str, new: &NewToken) -> Result<MadeToken, Failure> {
    check(&new.name, new.expires_s, LONGEST_S)?;
    if let Some(left_s) = caller.expires_s
        && new.expires_s.is_none_or(|seconds| seconds > left_s)
    {
        let detail = format!(
            "this token expires in {left_s} s, and makes none that is good for longer: set expires_s, or log in with the password"
        );
        return Err(Problem::new(403, "outlives_token", detail).of_field("expires_s").into());
    }
    let user = api.accounts.users().find(user).await?.ok_or_else(|| no_user(caller, new))?;
    let made = api.accounts.tokens().make(&user, new, false).await?;
    write(api, caller.entry("token-new", &*made.token.id), &made).await?;
    Ok(made)
}

/// `DELETE /api/v1/tokens/{id}`: one's own, or as an admin any.
pub(super) async fn revoke(
    State(api): State<Api>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Failure> {
    revoke_own(&api, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a token void: one's own, or as an admin any.
pub(super) async fn revoke_own(api: &Api, caller: &Caller, id: &str) -> Result<(), Failure> {
    let token = api.accounts.tokens().get(id).await;
    if !token.as_ref().is_ok_and(|token| token.user == caller.name()) {
        // Whoever is no admin is not told whether there is such a token.
        caller.require_any(Right::Administer)?;
    }
    let token = token?;
    api.accounts.tokens().revoke(id).await?;
    let entry = AuditEntry { old: json!(token), ..caller.entry("token-revoke", id) };
    api.system_audit().write(entry).await?;
    Ok(())
}

/// `POST /api/v1/login`: a token for a name and a password. It is void when the password changes.
pub(super) async fn login(
    State(api): State<Api>,
    caller: Caller,
    Body(login): Body<Login>,
) -> Result<(StatusCode, Json<MadeToken>), Failure> {
    check(&login.name, login.expires_s, LONGEST_LOGIN_S)?;
    let user = log_in(&api, &caller, &login.user, login.password).await?;
    let new = NewToken {
        name: if login.name.is_empty() { "login".to_owned() } else { login.name },
        access: Access::Write,
        expires_s: Some(login.expires_s.unwrap_or(LOGIN_S)),
        ..NewToken::default()
    };
    let made = api.accounts.tokens().make(&user, &new, true).await?;
    let entry = AuditEntry { actor: user.name, ..caller.entry("login", &*made.token.id) };
    write(&api, entry, &made).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Checks a name and a password; a failure is audited.
pub(super) async fn log_in(api: &Api, caller: &Caller, user: &str, password: String) -> Result<UserRecord, Failure> {
    match api.logins.password(&api.accounts, user, password, caller.address).await {
        Ok(user) => Ok(user),
        Err(failure) => {
            if failure.0.code == "wrong_login" && api.logins.is_to_be_written(user) {
                let name: String = user.chars().take(64).collect();
                let entry =
                    AuditEntry { result: "refused".to_owned(), ..caller.entry("login", format!("user {name:?}")) };
                api.system_audit().write(entry).await?;
            }
            Err(failure)
        }
    }
}

async fn write(api: &Api, entry: AuditEntry, made: &MadeToken) -> Result<(), Failure> {
    // What was made, without its text.
    let entry = AuditEntry { new: json!(made.token), ..entry };
    Ok(api.system_audit().write(entry).await?)
}

fn check(name: &str, expires_s: Option<u64>, longest_s: u64) -> Result<(), Problem> {
    if name.chars().count() > 64 || name.chars().any(char::is_control) {
        let detail = "the name of a token has at most 64 characters and no control characters";
        return Err(Problem::new(400, "bad_name", detail).of_field("name"));
    }
    match expires_s {
        Some(seconds) if !(1..=longest_s).contains(&seconds) => {
            let detail = format!("expires_s {seconds} must be 1 to {longest_s} seconds");
            Err(Problem::new(400, "bad_expiry", detail).of_field("expires_s"))
        }
        _ => Ok(()),
    }
}

fn no_user(caller: &Caller, new: &NewToken) -> Failure {
    match &new.user {
        Some(user) => flotilla_group::GroupError::NoUser(user.clone()).into(),
        None => {
            let detail = format!(
                "\"{}\" is the gateway's own administrator and no user: say whose token it is to be, with --user; `flotilla \
                 user add` makes users",
                caller.name()
            );
            Problem::new(400, "no_user", detail).of_field("user").into()
        }
    }
}
