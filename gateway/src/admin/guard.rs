//! Whose requests the admin API answers. Without a token: this machine's, but not those that web pages make a browser send.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;

use super::lock::Lock;
use super::problem::Failure;

/// Refuses requests for another name than loopback's (DNS rebinding) and those that a foreign web page sent.
pub(super) async fn local_only(request: Request, next: Next) -> Response {
    match check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => Failure(problem).into_response(),
    }
}

/// Refuses requests that do not show the token. A foreign web page does not have it.
pub(super) async fn token_only(State(lock): State<Arc<Lock>>, request: Request, next: Next) -> Response {
    match lock.token.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
            lock.refuse(&problem, peer).await;
            Failure(problem).into_response()
        }
    }
}

fn check(headers: &HeaderMap) -> Result<(), Problem> {
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
    name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
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
