//! `/account`: who one is, and one's tokens.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;
use flotilla_api::access::{Access, NewToken, Token};
use maud::{Markup, html};

use super::super::api::Api;
use super::super::caller::Caller;
use super::super::problem::Failure;
use super::super::tokens::{make_for, revoke_own};
use super::layout::page;
use super::visitor::{Visitor, redirect};

/// How many days a token of the page may be good.
const DAYS: [u64; 4] = [1, 7, 30, 90];

/// `GET /account`
pub(in super::super) async fn show(State(api): State<Api>, caller: Caller, headers: HeaderMap) -> Response {
    match Visitor::of(&api, &caller, &headers).await {
        Ok(visitor) => shown(&api, &visitor, None).await.unwrap_or_else(IntoResponse::into_response),
        Err(answer) => answer,
    }
}

/// `POST /account/tokens`: a token of one's own, shown in this answer and never again.
pub(in super::super) async fn make_token(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (visitor, form) = match Visitor::with_form(&api, &caller, &headers, &body).await {
        Ok(sent) => sent,
        Err(answer) => return answer,
    };
    let made = async {
        let days: u64 = form.get("days").parse().ok().filter(|days| DAYS.contains(days)).ok_or_else(|| {
            Problem::new(400, "bad_expiry", format!("days {:?} must be one of {DAYS:?}", form.get("days")))
                .of_field("days")
        })?;
        let access = match form.get("access") {
            "read" => Access::Read,
            "call" => Access::Call,
            "write" => Access::Write,
            other => {
                let detail = format!("access {other:?} must be write, read or call");
                return Err(Problem::new(400, "bad_access", detail).of_field("access").into());
            }
        };
        let name = form.get("name").to_owned();
        let new = NewToken { name, access, expires_s: Some(days * 24 * 3600), ..NewToken::default() };
        let made = make_for(&api, &visitor.caller, visitor.caller.name(), &new).await?;
        shown(&api, &visitor, Some(&made.secret)).await
    };
    made.await.unwrap_or_else(IntoResponse::into_response)
}

/// `POST /account/tokens/{id}/revoke`
pub(in super::super) async fn revoke_token(
    State(api): State<Api>,
    Path(id): Path<String>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let visitor = match Visitor::with_form(&api, &caller, &headers, &body).await {
        Ok((visitor, _)) => visitor,
        Err(answer) => return answer,
    };
    match revoke_own(&api, &visitor.caller, &id).await {
        Ok(()) => redirect("/account", &[]),
        Err(failure) => failure.into_response(),
    }
}

async fn shown(api: &Api, visitor: &Visitor, made: Option<&str>) -> Result<Response, Failure> {
    let principal = &visitor.caller.principal;
    let tokens = api.accounts.tokens().list(Some(&principal.name)).await?;
    let csrf = html! { input type="hidden" name="csrf" value=(visitor.csrf); };
    let roles: Vec<String> = principal.grants.iter().map(ToString::to_string).collect();
    let body = html! {
        p { "Signed in as " b { (principal.name) } ". Roles: " (if roles.is_empty() { "none".to_owned() } else { roles.join(", ") }) "." }
        @if let Some(secret) = made {
            div.yes {
                p { "The token is shown this once:" }
                p { code id="token" { (secret) } }
                p { "For the commands: " code { "export FLOTILLA_ADMIN_TOKEN=" (secret) } }
            }
        }
        h2 { "Tokens" }
        (table(&tokens, &csrf))
        h2 { "A new token" }
        form method="post" action="/account/tokens" {
            (csrf)
            label { "Name" input name="name" maxlength="64"; }
            label { "For" select name="access" {
                option value="write" { "everything that I may do" }
                option value="read" { "looking" }
                option value="call" { "calling the HTTP endpoints of flows" }
            } }
            label { "Days" select name="days" { @for days in DAYS { option { (days) } } } }
            button { "Make a token" }
        }
        h2 { "Leave" }
        form method="post" action="/logout" { (csrf) button { "Sign out" } }
        p.quiet { a href="/api/v1/docs" { "The API" } }
    };
    Ok(page(StatusCode::OK, "Account", &body))
}

fn table(tokens: &[Token], csrf: &Markup) -> Markup {
    html! {
        @if tokens.is_empty() {
            p.quiet { "There are none." }
        } @else {
            table {
                tr { th { "Name" } th { "Id" } th { "For" } th { } }
                @for token in tokens {
                    tr {
                        td { (token.name) }
                        td { code { (token.id) } }
                        td { (purpose(token.access)) }
                        td {
                            form method="post" action=(format!("/account/tokens/{}/revoke", token.id)) {
                                (csrf) button { "Revoke" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn purpose(access: Access) -> &'static str {
    match access {
        Access::Write => "everything",
        Access::Read => "looking",
        Access::Call => "calling flows",
    }
}
