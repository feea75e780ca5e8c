//! One request's way to a replica and back.

use std::collections::HashSet;
use std::time::Instant;

use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HeaderValue, UPGRADE};
use hyper::{Request, Response, StatusCode, Uri};

use super::answers::{Own, of_replica, paused, plain, refused, turned_away};
use super::attempt::{Attempt, Limits, Lost, attempt};
use super::client_body::ClientBody;
use super::door::{Client, Door};
use super::headers;
use super::request_body::{Fault, Upload};
use super::upgrade;

/// A request that was sent and got no answer is sent so often more, if its method allows that.
const AGAIN: u32 = 2;

/// Answers a client's request.
pub(super) async fn answer(door: &Door, client: &Client, request: Request<Incoming>) -> Response<ClientBody> {
    let began = Instant::now();
    let _open = door.meters.open(client.from.thread);
    // For the trail of a request that no replica answers; both are cheap to clone.
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = match flotilla_framing::refusal(request.headers()) {
        Some((status, why)) => {
            door.meters.refused(status);
            refused(status, why)
        }
        None => forward(door, client, request).await,
    };
    let took = began.elapsed();
    door.meters.answered(client.from.thread, response.status(), took);
    if let Some(own) = response.extensions().get::<Own>() {
        door.config.misses.keep(&method, &uri, response.status(), own, took);
    }
    response
}

/// Sends a request to a ready replica. One that was never sent (connection refused, or an idle connection that had been
/// closed) goes to another replica. One that was sent and not answered is sent again if its method is idempotent and its
/// body is at hand; else it is 502, because it may have had effects.
async fn forward(door: &Door, client: &Client, mut request: Request<Incoming>) -> Response<ClientBody> {
    if door.pool.is_paused() {
        door.meters.unavailable();
        return paused();
    }
    let upgrading = upgrade::requested(&request);
    let client_side = upgrading.then(|| hyper::upgrade::on(&mut request));
    let (mut parts, body) = request.into_parts();
    let (trusted, secure) = (&door.config.trusted, door.config.tls.is_some());
    headers::prepare(&mut parts.headers, &client.address, trusted, door.address, secure);
    // What few requests come to is kept apart: each request moves the state of its future several times.
    if let Some(callers) = &door.config.callers
        && let Err(away) = Box::pin(callers.admit(&parts.method, parts.uri.path(), &mut parts.headers)).await
    {
        door.meters.refused(away.status);
        return turned_away(away.status, &away.why);
    }
    if upgrading {
        parts.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        parts.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }
    let deadlines = &door.config.deadlines;
    let limits =
        Limits { connect: deadlines.connect, answer: deadlines.answer_to(parts.uri.path()), stall: deadlines.stall };
    let (body, progress) = if body.is_end_stream() {
        (Upload::none(), None)
    } else {
        match Box::pin(Upload::take(body, deadlines.body)).await {
            Ok(taken) => taken,
            Err(fault) => return client_fault(door, fault),
        }
    };
    // Without what hyper keeps of the client's connection.
    let mut request = Request::new(body);
    *request.method_mut() = parts.method;
    *request.uri_mut() = origin_form(parts.uri);
    *request.headers_mut() = parts.headers;
    // RFC 9110, section 9.2.2.
    let spare = if request.method().is_idempotent() && !upgrading { copy(&request) } else { None };
    let (mut tried, mut again) = (HashSet::new(), 0);
    loop {
        let mut backend = door.pool.ready(&tried);
        if backend.is_none() {
            backend = Box::pin(door.pool.wait_for(&mut tried, deadlines.failfast)).await;
        }
        let Some(backend) = backend else {
            door.meters.unavailable();
            if door.pool.is_paused() {
                return paused();
            }
            return plain(StatusCode::SERVICE_UNAVAILABLE, "no replica is ready; try again in a second");
        };
        match attempt(&backend, client, request, progress.as_deref(), &limits).await {
            Attempt::Answered(mut response) => {
                let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
                if upgraded && client_side.is_none() {
                    let answer = plain(StatusCode::BAD_GATEWAY, "the replica changed the protocol without being asked");
                    return of_replica(answer, &backend.id);
                }
                let protocol = upgraded.then(|| response.headers().get(UPGRADE).cloned()).flatten();
                headers::strip_hop_by_hop(response.headers_mut());
                if let Some(client_side) = client_side
                    && upgraded
                {
                    let protocol = protocol.unwrap_or(HeaderValue::from_static("websocket"));
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
                    response.headers_mut().insert(UPGRADE, protocol);
                    upgrade::join(client_side, &mut response, &backend, door.meters.tunnel());
                }
                return response;
            }
            Attempt::NotSent(unsent) => {
                door.meters.retried("unsent");
                tried.insert(backend.id.clone());
                request = *unsent;
            }
            Attempt::Lost(lost) => {
                if let Some(fault) = progress.as_ref().and_then(|progress| progress.fault()) {
                    return client_fault(door, fault);
                }
                let more = if matches!(lost, Lost::Gone) { AGAIN } else { 1 };
                if let Some(next) = &spare
                    && !matches!(lost, Lost::TimedOut)
                    && again < more
                    && let Some(copy) = copy(next)
                {
                    again += 1;
                    door.meters.retried(lost.reason());
                    tried.insert(backend.id.clone());
                    request = copy;
                    continue;
                }
                door.meters.lost(lost.reason());
                let who =
                    if client.from.is_local() { format!("replica {}", backend.id) } else { "a replica".to_owned() };
                let status = match lost {
                    Lost::TimedOut => StatusCode::GATEWAY_TIMEOUT,
                    Lost::Gone | Lost::Broken(_) => StatusCode::BAD_GATEWAY,
                };
                return of_replica(plain(status, format!("{who} did not answer: {lost}")), &backend.id);
            }
        }
    }
}

fn client_fault(door: &Door, fault: Fault) -> Response<ClientBody> {
    let status = match fault {
        Fault::Slow => StatusCode::REQUEST_TIMEOUT,
        Fault::Malformed => StatusCode::BAD_REQUEST,
    };
    door.meters.refused(status);
    refused(status, &fault.to_string())
}

/// The same request once more, when its body is at hand.
fn copy(request: &Request<Upload>) -> Option<Request<Upload>> {
    let mut copy = Request::new(request.body().again()?);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    Some(copy)
}

/// What a client sends to a proxy, as a replica expects it.
fn origin_form(uri: Uri) -> Uri {
    if uri.scheme().is_none() {
        return uri;
    }
    uri.path_and_query().map_or_else(|| Uri::from_static("/"), |target| Uri::from(target.clone()))
}
