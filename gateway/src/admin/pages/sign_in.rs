//! `/login` and `/logout`: a name and a password, or another system.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use flotilla_api::audit::AuditEntry;
use flotilla_group::accounts::UserRecord;
use maud::html;

use super::super::api::Api;
use super::super::caller::Caller;
use super::super::cookie;
use super::super::problem::Failure;
use super::super::tokens::log_in;
use super::form::Form;
use super::layout::page;
use super::visitor::{Visitor, redirect};

/// `GET /login`
pub(in super::super) async fn form(State(api): State<Api>, caller: Caller, headers: HeaderMap) -> Response {
    match Visitor::of(&api, &caller, &headers).await {
        Ok(_) => redirect("/account", &[]),
        Err(answer) if answer.status().is_redirection() => shown(&api, StatusCode::OK, ""),
        Err(answer) => answer,
    }
}

/// `POST /login`: a session for a name and a password.
pub(in super::super) async fn sign_in(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = match Form::read(&headers, &body) {
        Ok(form) => form,
        Err(problem) => return Failure(problem).into_response(),
    };
    match log_in(&api, &caller, form.get("user"), form.get("password").to_owned()).await {
        Ok(user) => open(&api, &caller, &user, "password").await,
        Err(Failure(problem)) if matches!(problem.status, 401 | 429) => {
            let status = if problem.status == 401 { StatusCode::FORBIDDEN } else { StatusCode::TOO_MANY_REQUESTS };
            shown(&api, status, &problem.detail)
        }
        Err(failure) => failure.into_response(),
    }
}

/// `POST /logout`: ends the session.
pub(in super::super) async fn sign_out(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let visitor = match Visitor::with_form(&api, &caller, &headers, &body).await {
        Ok((visitor, _)) => visitor,
        Err(answer) => return answer,
    };
    let ended = async {
        if let Some(text) = cookie::session(&headers) {
            api.accounts.sessions().close(&text).await?;
        }
        api.system_audit().write(visitor.caller.entry("logout", "page")).await?;
        Ok::<(), Failure>(())
    };
    match ended.await {
        Ok(()) => redirect("/login", &[cookie::end_session(api.tls)]),
        Err(failure) => failure.into_response(),
    }
}

/// Begins the session of somebody who has proved who they are.
pub(super) async fn open(api: &Api, caller: &Caller, user: &UserRecord, how: &str) -> Response {
    let opened = async {
        let opened = api.accounts.sessions().open(user).await?;
        let entry = AuditEntry { actor: user.name.clone(), ..caller.entry("login", format!("page, {how}")) };
        api.system_audit().write(entry).await?;
        Ok::<_, Failure>(opened)
    };
    match opened.await {
        Ok(opened) => redirect("/account", &[cookie::set_session(&opened.secret, opened.longest, api.tls)]),
        Err(failure) => failure.into_response(),
    }
}

/// The form, with what went wrong.
pub(super) fn shown(api: &Api, status: StatusCode, wrong: &str) -> Response {
    let body = html! {
        @if !wrong.is_empty() { p.no role="alert" { (wrong) } }
        @if let Some(sign_in) = &api.sign_in {
            p { a href="/login/oidc" { "Sign in with " (sign_in.provider.issuer()) } }
        }
        form method="post" action="/login" {
            label { "Name" input name="user" autocomplete="username" autofocus required; }
            label { "Password" input name="password" type="password" autocomplete="current-password" required; }
            button { "Sign in" }
        }
    };
    page(status, "Sign in", &body)
}
