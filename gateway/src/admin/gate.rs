//! Whose requests the admin API answers. Without a token: this machine's, but not those that web pages make a browser send.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, USER_AGENT};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;
use flotilla_group::accounts::{Accounts, InSession, Known, Tokens};
use flotilla_group::rights::Principal;
use subtle::ConstantTimeEq as _;

use super::caller::{Caller, Source};
use super::cookie;
use super::doors::Peer;
use super::lock::Lock;
use super::problem::Failure;
use super::token::Token;

/// The name of who shows the gateway's own admin token.
const ADMIN: &str = "admin";
/// The name of who comes from this machine, where nothing is asked for.
const LOCAL: &str = "local";
/// What a session of a page is called as a credential.
const SESSION: &str = "session";

/// Finds out who sends a request.
pub(super) struct Gate {
    token: Option<Token>,
    accounts: Accounts,
    lock: Lock,
}

impl Gate {
    /// With a token of the gateway, or users, requests have to show a credential; without them they have to come from this
    /// machine.
    pub(super) fn new(token: Option<Token>, accounts: Accounts) -> Gate {
        Gate { token, accounts, lock: Lock::new() }
    }

    /// Who sends a request that needs no credential.
    pub(super) fn anybody(parts: &Parts) -> Caller {
        Caller::nobody(source(&parts.headers), address(parts))
    }

    /// Who sends a request; a wrong credential is refused late.
    pub(super) async fn admit(&self, parts: &Parts) -> Result<Caller, Failure> {
        match self.known(parts).await {
            Ok(Known { principal, credential, expires_s }) => Ok(Caller {
                expires_s,
                source: if credential == SESSION { Source::Page } else { source(&parts.headers) },
                principal: Arc::new(principal),
                credential: credential.into(),
                address: address(parts),
            }),
            Err(failure) => {
                if failure.0.status == 401 {
                    self.lock.refuse(&failure.0, address(parts)).await;
                }
                Err(failure)
            }
        }
    }

    async fn known(&self, parts: &Parts) -> Result<Known, Failure> {
        let headers = &parts.headers;
        let gateway = |name| Known { principal: Principal::admin(name), credential: String::new(), expires_s: None };
        let shown = bearer(headers);
        if let (Some(token), Some(shown)) = (&self.token, shown)
            && token.is(shown)
        {
            if token.is_only_to_begin() && self.accounts.users().has_admin().await? {
                let detail = "this group's users log in: `flotilla login NAME`. The token of the data folder was for the \
                              first admin only; start `flotilla up` without --users to have it valid again";
                return Err(Problem::new(401, "log_in", detail).into());
            }
            return Ok(gateway(ADMIN));
        }
        if let Some(shown) = shown.filter(|shown| Tokens::is_one(shown)) {
            return self.accounts.by_token(shown).await?.ok_or_else(|| {
                let detail = "this token is not known here: it was revoked, it expired, or its user is gone";
                Problem::new(401, "wrong_token", detail).into()
            });
        }
        if shown.is_none()
            && let Some(text) = cookie::session(headers)
            && let Some(InSession { known, csrf }) = self.accounts.by_session(&text).await?
        {
            if !parts.method.is_safe() && !has_csrf(headers, &csrf) {
                let detail =
                    "a change in a session of a page needs its X-CSRF-Token; programs send Authorization: Bearer TOKEN";
                return Err(Problem::new(403, "csrf", detail).into());
            }
            return Ok(known);
        }
        // Whose requests get here at all is up to `local_only`.
        if self.token.is_none() && !self.accounts.users().any().await? {
            return Ok(gateway(LOCAL));
        }
        Err(match shown {
            Some(_) => Problem::new(401, "wrong_token", "this gateway does not know this token").into(),
            None => {
                let detail = "this gateway asks for a token: send Authorization: Bearer TOKEN; `flotilla login` gets one for a \
                              user and keeps it, FLOTILLA_ADMIN_TOKEN gives another";
                Problem::new(401, "no_token", detail).into()
            }
        })
    }
}

/// True when the request has what only our own pages know.
fn has_csrf(headers: &HeaderMap, csrf: &str) -> bool {
    let shown = headers.get("x-csrf-token").map(axum::http::HeaderValue::as_bytes).unwrap_or_default();
    shown.ct_eq(csrf.as_bytes()).into()
}

/// The token of `Authorization: Bearer TOKEN`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (kind, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    kind.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn source(headers: &HeaderMap) -> Source {
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    if agent.starts_with(flotilla_api::client::AGENT) { Source::Cli } else { Source::Api }
}

fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(Peer(peer))| peer.ip())
}

/// Refuses requests for another name than loopback's (DNS rebinding) and those that a foreign web page sent.
pub(super) async fn local_only(request: Request, next: Next) -> Response {
    match check_local(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => Failure(problem).into_response(),
    }
}

fn check_local(headers: &HeaderMap) -> Result<(), Problem> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = header(HOST).unwrap_or_default();
    if !is_loopback(host) {
        let detail = format!("\"{host}\" is not a name of this machine's loopback: use 127.0.0.1 or localhost");
        return Err(Problem::new(403, "foreign_host", detail));
    }
    match header(ORIGIN) {
        Some(origin) if origin.split_once("://").is_none_or(|(_, authority)| authority != host) => {
            Err(Problem::new(403, "foreign_origin", format!("a page of {origin} may not use this API")))
        }
        _ => Ok(()),
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_pass() {
        for host in ["127.0.0.1:1881", "localhost", "localhost:1", "[::1]:1881", "127.1.2.3"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "example.com:1881", "10.0.0.1:1881", "localhost.example.com", "[fe80::1]"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
