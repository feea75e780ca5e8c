//! `/login/oidc`: signing in with an OpenID provider.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;
use flotilla_api::audit::AuditEntry;
use flotilla_group::accounts::External;
use flotilla_oidc::{OidcError, Pending};
use serde::Deserialize;

use super::super::api::Api;
use super::super::caller::Caller;
use super::super::cookie;
use super::super::problem::Failure;
use super::super::sign_in_with::{SignIn, user_name};
use super::sign_in::{open, shown};
use super::visitor::redirect;

/// What a provider sends the browser back with (RFC 6749, section 4.1.2).
#[derive(Deserialize)]
pub(in super::super) struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// `GET /login/oidc`: sends the browser to the provider.
pub(in super::super) async fn begin(State(api): State<Api>) -> Response {
    let Some(sign_in) = api.sign_in.clone() else { return none() };
    // Whoever begins has shown nothing: all of them together have the rate of one.
    if let Err(problem) = api.sign_ins.take("all sign-ins together") {
        return Failure(problem).into_response();
    }
    match sign_in.provider.begin().await {
        Ok(begun) => match api.accounts.sessions().keep_sign_in(&begun.state, &begun.pending).await {
            Ok(()) => redirect(&begun.url, &[cookie::set_sign_in(&begun.state, api.tls)]),
            Err(error) => Failure::from(error).into_response(),
        },
        Err(error) => {
            tracing::warn!(%error, "users cannot sign in with the OpenID provider");
            shown(&api, StatusCode::BAD_GATEWAY, &error.to_string())
        }
    }
}

/// `GET /login/oidc/callback`: the browser comes back, with a code that the provider takes for a token.
pub(in super::super) async fn come_back(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Response {
    let Some(sign_in) = api.sign_in.clone() else { return none() };
    let mut response = match sign_in_as(&api, &sign_in, &caller, &headers, back).await {
        Ok(response) => response,
        Err(Failure(problem)) => {
            tracing::warn!("a sign-in with the OpenID provider failed: {}", problem.detail);
            let entry = caller.entry("login", format!("OpenID: {}", problem.detail));
            let entry = AuditEntry { result: "refused".to_owned(), ..entry };
            // Nobody is signed in; that the log is not to be written changes nothing in that.
            if api.logins.is_to_be_written("OpenID")
                && let Err(error) = api.system_audit().write(entry).await
            {
                tracing::warn!(%error, "a failed sign-in is not in the audit log");
            }
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::FORBIDDEN);
            shown(&api, status, &problem.detail)
        }
    };
    if let Ok(value) = cookie::end_sign_in(api.tls).parse() {
        response.headers_mut().append(axum::http::header::SET_COOKIE, value);
    }
    response
}

async fn sign_in_as(
    api: &Api,
    sign_in: &SignIn,
    caller: &Caller,
    headers: &HeaderMap,
    back: Back,
) -> Result<Response, Failure> {
    let again = "begin again from the sign-in page";
    if cookie::sign_in(headers).is_none_or(|begun| begun != back.state) {
        let detail = format!("this browser has not begun this sign-in, or began another one since: {again}");
        return Err(Problem::new(403, "wrong_state", detail).into());
    }
    let pending: Option<Pending> = api.accounts.sessions().take_sign_in(&back.state).await?;
    let Some(pending) = pending else {
        return Err(
            Problem::new(403, "wrong_state", format!("this sign-in took too long, or has ended: {again}")).into()
        );
    };
    if !back.error.is_empty() {
        let detail = format!("the provider says {}: {}", back.error, back.error_description);
        return Err(Problem::new(403, "refused_by_provider", detail).into());
    }
    let who = sign_in.provider.finish(back.code, pending).await.map_err(|error| {
        let (status, code) = match &error {
            OidcError::Provider { .. } => (502, "provider_unavailable"),
            OidcError::NoClaim(_) => (403, "no_claim"),
            _ => (403, "refused_by_provider"),
        };
        Problem::new(status, code, error.to_string())
    })?;
    let grants = sign_in.grants(&who)?;
    let external = External { issuer: who.issuer, subject: who.subject };
    let name = user_name(&who.name)?;
    let user = api.accounts.users().sign_in(&name, &external, grants).await.map_err(|error| match error {
        flotilla_group::GroupError::UserExists(name) => Failure::from(Problem::new(
            409,
            "user_exists",
            format!("\"{name}\" is a user that the provider does not stand for: an admin removes that user, or the provider says another name"),
        )),
        error => error.into(),
    })?;
    Ok(open(api, caller, &user, "OpenID").await)
}

fn none() -> Response {
    let detail = "this gateway knows no OpenID provider: see --oidc-issuer";
    Failure::from(Problem::new(404, "no_provider", detail)).into_response()
}
