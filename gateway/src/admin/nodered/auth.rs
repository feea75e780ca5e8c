//! `/auth`: a token for a name and a password (RFC 6749, section 4.3).

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flotilla_api::access::{Access, NewToken};
use flotilla_api::audit::AuditEntry;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::api::Api;
use super::super::caller::Caller;
use super::super::problem::Failure;
use super::super::tokens::log_in;
use super::problem::Refusal;

/// How long a token is good: Node-RED's `sessionExpiryTime`, seven days.
const EXPIRES_S: u64 = 7 * 24 * 3600;

/// The body of `/auth/token`, as a form or in JSON.
#[derive(Deserialize)]
struct Grant {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// The body of `/auth/revoke`.
#[derive(Deserialize)]
struct Revoke {
    token: String,
}

/// `GET /auth/login`: how to log in; an empty object where nothing is asked for.
pub(in super::super) async fn login(State(api): State<Api>) -> Result<Json<Value>, Refusal> {
    if api.token.is_none() && !api.accounts.users().any().await? {
        return Ok(Json(json!({})));
    }
    Ok(Json(json!({
        "type": "credentials",
        "prompts": [
            {"id": "username", "type": "text", "label": "user.username"},
            {"id": "password", "type": "password", "label": "user.password"},
        ],
    })))
}

/// `POST /auth/token`. The gateway's own token is the password of `admin`.
pub(in super::super) async fn token(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let grant: Grant = read(&headers, &body)?;
    if grant.grant_type != "password" {
        let message = format!("grant_type \"{}\" is not supported: use password", grant.grant_type);
        return Ok(refused(StatusCode::BAD_REQUEST, "unsupported_grant_type", &message));
    }
    let access = match grant.scope.as_str() {
        "read" => Access::Read,
        "" | "*" => Access::Write,
        other if other.split([' ', ',']).all(|scope| scope.strip_suffix(".read").is_some()) => Access::Read,
        _ => Access::Write,
    };
    api.logins.check(&grant.username, caller.address).map_err(Failure::from)?;
    let own = api.token.as_ref().filter(|token| grant.username == "admin" && token.is(&grant.password));
    if let Some(token) = own
        && !(token.is_only_to_begin() && api.accounts.users().has_admin().await?)
    {
        let entry = AuditEntry { actor: "admin".to_owned(), ..caller.entry("login", "the gateway's own token") };
        api.system_audit().write(entry).await?;
        return Ok(Json(json!({"access_token": grant.password, "expires_in": EXPIRES_S, "token_type": "Bearer"}))
            .into_response());
    }
    let user = match log_in(&api, &caller, &grant.username, grant.password).await {
        Ok(user) => user,
        Err(failure) if failure.0.code == "wrong_login" => {
            return Ok(refused(StatusCode::FORBIDDEN, "invalid_grant", "Invalid resource owner credentials"));
        }
        Err(failure) => return Ok(failure.into_response()),
    };
    let new = NewToken { name: "node-red login".to_owned(), access, expires_s: Some(EXPIRES_S), ..NewToken::default() };
    let made = api.accounts.tokens().make(&user, &new, true).await?;
    let entry = AuditEntry { actor: user.name, new: json!(made.token), ..caller.entry("login", &*made.token.id) };
    api.system_audit().write(entry).await?;
    Ok(Json(json!({"access_token": made.secret, "expires_in": EXPIRES_S, "token_type": "Bearer"})).into_response())
}

/// `POST /auth/revoke`: makes a token of the caller void.
pub(in super::super) async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let Revoke { token } = read(&headers, &body)?;
    if let Some(known) = api.accounts.by_token(&token).await?
        && known.principal.name == caller.name()
        // flo_ID_SECRET
        && let Some(id) = token.split('_').nth(1)
    {
        api.accounts.tokens().revoke(id).await?;
        api.system_audit().write(caller.entry("token-revoke", id)).await?;
    }
    Ok(StatusCode::OK)
}

/// A form or JSON, as Node-RED takes both.
fn read<T: serde::de::DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let bad = |reason: String| Refusal::new(400, "invalid_request", reason);
    if kind.starts_with("application/json") {
        return serde_json::from_slice(body).map_err(|error| bad(error.to_string()));
    }
    let fields: serde_json::Map<String, Value> =
        url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect();
    serde_json::from_value(Value::Object(fields)).map_err(|error| bad(error.to_string()))
}

fn refused(status: StatusCode, error: &str, description: &str) -> Response {
    (status, Json(json!({"error": error, "error_description": description}))).into_response()
}
