//! Users, and who the caller is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use flotilla_api::Problem;
use flotilla_api::access::{Grant, NewPassword, NewUser, Role, Roles, User, Whoami};
use flotilla_api::audit::AuditEntry;
use flotilla_group::accounts::{BadPassword, Hash, UserRecord};
use flotilla_group::rights::Right;
use flotilla_tasks::Task;
use serde_json::json;

use super::api::{Api, Of};
use super::body::Body;
use super::caller::Caller;
use super::paging::{Page, Paging};
use super::parameters::Path;
use super::problem::Failure;

/// `GET /api/v1/whoami`
pub(super) async fn whoami(caller: Caller) -> Json<Whoami> {
    let principal = &caller.principal;
    Json(Whoami {
        name: principal.name.clone(),
        roles: principal.grants.clone(),
        access: principal.limits.access,
        groups: principal.limits.groups.clone(),
        credential: caller.credential.to_string(),
    })
}

/// `GET /api/v1/users`: by name.
pub(super) async fn list(State(api): State<Api>, paging: Paging) -> Result<Page<User>, Failure> {
    let users = api.accounts.users().list().await?;
    paging.of(users.iter().map(UserRecord::shown).collect(), |user| user.name.clone())
}

/// `GET /api/v1/users/{user}`
pub(super) async fn get(State(api): State<Api>, Path(name): Path<String>) -> Result<Json<User>, Failure> {
    Ok(Json(api.accounts.users().get(&name).await?.shown()))
}

/// `POST /api/v1/users`
pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, Json<User>), Failure> {
    let hash = match new.password {
        Some(password) => Some(hash(password).await?),
        None => None,
    };
    let user = api.accounts.users().add(&new.name, new.roles, hash.as_ref()).await?.shown();
    let entry = AuditEntry { new: json!(user), ..caller.entry("user-add", &*user.name) };
    api.system_audit().write(entry).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// `DELETE /api/v1/users/{user}`: the tokens are void with that.
pub(super) async fn remove(Of(api): Of, Path(name): Path<String>, caller: Caller) -> Result<StatusCode, Failure> {
    leaves_an_admin(&api, &name, &[]).await?;
    api.accounts.users().remove(&name).await?;
    api.accounts.tokens().revoke_all(&name).await?;
    api.joins().forget_owner(&name).await?;
    api.system_audit().write(caller.entry("user-remove", name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /api/v1/users/{user}/roles`
pub(super) async fn set_roles(
    Of(api): Of,
    Path(name): Path<String>,
    caller: Caller,
    Body(Roles { roles }): Body<Roles>,
) -> Result<Json<User>, Failure> {
    leaves_an_admin(&api, &name, &roles).await?;
    let (old, new) = api.accounts.users().set_grants(&name, &roles).await?;
    let (old, new) = (old.shown(), new.shown());
    let entry = AuditEntry { old: json!(old.roles), new: json!(new.roles), ..caller.entry("user-roles", &*new.name) };
    api.system_audit().write(entry).await?;
    Ok(Json(new))
}

/// Refuses what would leave nobody who may change users. A gateway with a token of its own always has one.
async fn leaves_an_admin(api: &Api, name: &str, roles: &[Grant]) -> Result<(), Failure> {
    let is_admin = |grants: &[Grant]| grants.iter().any(|grant| grant.role == Role::Admin);
    if api.token.is_some() || is_admin(roles) {
        return Ok(());
    }
    let users = api.accounts.users().list().await?;
    let (own, others): (Vec<_>, Vec<_>) = users.iter().partition(|user| user.name == name);
    let is_last = own.iter().any(|user| is_admin(&user.roles())) && !others.iter().any(|user| is_admin(&user.roles()));
    if is_last && (!others.is_empty() || !roles.is_empty()) {
        let detail = format!(
            "{name} is the last admin, and this gateway has no token of its own: nobody could change users any more; make \
             another admin first, with `flotilla user role`"
        );
        return Err(Problem::new(409, "last_admin", detail).of_field("user").into());
    }
    Ok(())
}

/// `PUT /api/v1/users/{user}/password`: an admin sets any; a user who knows the one before sets the own. Logins with the
/// old one are void.
pub(super) async fn set_password(
    Of(api): Of,
    Path(name): Path<String>,
    caller: Caller,
    Body(new): Body<NewPassword>,
) -> Result<StatusCode, Failure> {
    if let Err(refused) = caller.require_any(Right::Administer) {
        if caller.name() != name {
            return Err(refused);
        }
        let old = new.old.unwrap_or_default();
        api.logins.password(&api.accounts, &name, old, caller.address).await.map_err(wrong_old)?;
    }
    let hash = hash(new.password).await?;
    api.accounts.users().set_password(&name, &hash).await?;
    api.system_audit().write(caller.entry("user-password", name)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A wrong password of somebody who is signed in: no reason to sign in again.
fn wrong_old(failure: Failure) -> Failure {
    match &*failure.0.code {
        "wrong_login" => {
            Problem::new(403, "wrong_password", "this is not the password until now").of_field("old").into()
        }
        _ => failure,
    }
}

/// Hashes a password on a thread that is kept for what blocks.
async fn hash(password: String) -> Result<Hash, Failure> {
    let task = Task {
        name: "password hash",
        owner: "admin API".into(),
        ends: "the hash is computed",
        failure: "the password is not set",
    };
    let hashed = task.spawn_blocking(move || Hash::new(&password)).await;
    let hashed = hashed.map_err(|error| Problem::new(500, "internal", error.to_string()))?;
    hashed
        .map_err(|error: BadPassword| Problem::new(422, "bad_password", error.to_string()).of_field("password").into())
}
