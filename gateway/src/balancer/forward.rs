//! One request's way to a replica and back.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue, RETRY_AFTER, UPGRADE};
use hyper::{Request, Response, StatusCode};

use super::backend::Backend;
use super::body::Tracked;
use super::pool::Pool;
use super::upgrade;

/// A response to the client.
pub(super) type ClientBody = BoxBody<Bytes, hyper::Error>;

/// Headers that belong to one connection only: RFC 9110, section 7.6.1.
const HOP_BY_HOP: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    hyper::header::TE,
    hyper::header::TRAILER,
    UPGRADE,
];

/// A text response of the gateway's own.
pub(super) fn plain(status: StatusCode, text: String) -> Response<ClientBody> {
    let mut response = Response::new(Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Sends a request to a ready replica. A request that was never sent (connection refused, or an idle connection that
/// had been closed) goes to another replica; one that was sent and not answered is 502, because it may have had effects.
pub(super) async fn forward(
    pool: &Arc<Pool>,
    mut request: Request<Incoming>,
    client: IpAddr,
    patience: Duration,
) -> Response<ClientBody> {
    let upgrading = upgrade::requested(&request);
    let client_side = upgrading.then(|| hyper::upgrade::on(&mut request));
    prepare(&mut request, client, upgrading);
    let mut tried = HashSet::new();
    loop {
        let Some(backend) = pool.wait_for(&mut tried, patience).await else {
            metrics::counter!("flotilla_gateway_unavailable_total").increment(1);
            return plain(StatusCode::SERVICE_UNAVAILABLE, "no replica is ready; try again in a second\n".to_owned());
        };
        tried.insert(backend.id.clone());
        match attempt(&backend, request).await {
            Attempt::Answered(mut response) => {
                if let Some(client_side) = client_side
                    && response.status() == StatusCode::SWITCHING_PROTOCOLS
                {
                    upgrade::join(client_side, &mut response);
                }
                return response;
            }
            Attempt::NotSent(unsent) => {
                metrics::counter!("flotilla_gateway_retries_total").increment(1);
                request = *unsent;
            }
            Attempt::Lost(reason) => {
                metrics::counter!("flotilla_gateway_lost_total").increment(1);
                return plain(StatusCode::BAD_GATEWAY, format!("replica {} did not answer: {reason}\n", backend.id));
            }
        }
    }
}

enum Attempt {
    Answered(Response<ClientBody>),
    NotSent(Box<Request<Incoming>>),
    Lost(hyper::Error),
}

async fn attempt(backend: &Arc<Backend>, mut request: Request<Incoming>) -> Attempt {
    let count = backend.enter();
    loop {
        let Ok((mut sender, reused)) = backend.connection().await else {
            backend.mark_down();
            return Attempt::NotSent(Box::new(request));
        };
        match sender.try_send_request(request).await {
            Ok(response) => {
                metrics::counter!("flotilla_gateway_requests_total", "replica" => backend.id.clone()).increment(1);
                let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
                let (parts, body) = response.into_parts();
                let body = if upgraded {
                    http_body_util::Empty::new().map_err(|never| match never {}).boxed()
                } else {
                    Tracked::new(body, sender, backend.clone(), count).boxed()
                };
                return Attempt::Answered(Response::from_parts(parts, body));
            }
            Err(mut error) => match error.take_message() {
                // The idle connection had been closed meanwhile: a fresh one tells whether the replica is there.
                Some(unsent) if reused => request = unsent,
                Some(unsent) => {
                    backend.mark_down();
                    return Attempt::NotSent(Box::new(unsent));
                }
                None => return Attempt::Lost(error.into_error()),
            },
        }
    }
}

fn prepare(request: &mut Request<Incoming>, client: IpAddr, upgrading: bool) {
    let headers = request.headers_mut();
    let upgrade = headers.get(UPGRADE).cloned();
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
    if let Some(protocol) = upgrade.filter(|_| upgrading) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol);
    }
    let forwarded = HeaderName::from_static("x-forwarded-for");
    let chain = match headers.get(&forwarded).and_then(|earlier| earlier.to_str().ok()) {
        Some(earlier) => format!("{earlier}, {client}"),
        None => client.to_string(),
    };
    if let Ok(chain) = HeaderValue::from_str(&chain) {
        headers.insert(forwarded, chain);
    }
    if let Some(host) = headers.get(HOST).cloned() {
        headers.entry("x-forwarded-host").or_insert(host);
    }
    headers.entry("x-forwarded-proto").or_insert(HeaderValue::from_static("http"));
}
