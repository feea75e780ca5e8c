//! What the server's own parts refuse (a path or a query that does not parse, a method that a route does not have, a body that
//! is too large) is a problem with a code, as what the handlers refuse is.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;
use flotilla_api::problem::CONTENT_TYPE;

use super::problem::Failure;

/// Their texts are short.
const LONGEST: usize = 4 * 1024;

/// Where clients read problems: the API, and what replicas show to gateways.
const OURS: [&str; 2] = ["/api/v1/", "/control/v1/"];

/// A layer that makes a problem of an error of `/api/v1` or of a replica's `/control/v1` that is none yet.
pub async fn as_problem(request: Request, next: Next) -> Response {
    let is_ours = OURS.iter().any(|start| request.uri().path().starts_with(start));
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_problem = kind.is_some_and(|kind| kind.as_bytes().starts_with(CONTENT_TYPE.as_bytes()));
    if !is_ours || is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, LONGEST).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let detail = if text.is_empty() { status.canonical_reason().unwrap_or_default() } else { &*text };
    let mut answer = Failure(Problem::new(status.as_u16(), code(status), detail)).into_response();
    // `Allow` of a 405, `Retry-After`.
    for (name, value) in &parts.headers {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING].contains(name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

fn code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "bad_request",
        404 => "not_found",
        405 => "method_not_allowed",
        408 => "timeout",
        413 => "body_too_large",
        415 => "not_json",
        422 => "bad_body",
        status if status < 500 => "refused",
        _ => "internal",
    }
}
