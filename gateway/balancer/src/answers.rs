//! The gateway's own answers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE, WWW_AUTHENTICATE,
};
use hyper::{Response, StatusCode};

use super::client_body::ClientBody;

/// Why a response with 502, 503 or 504 is the gateway's own: an extension of it.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// What its body says.
    pub(super) why: String,
    /// The replica that had the request; empty: none.
    pub(super) replica: String,
}

/// The same response, for a request that this replica had.
pub(super) fn of_replica(mut response: Response<ClientBody>, replica: &str) -> Response<ClientBody> {
    if let Some(own) = response.extensions_mut().get_mut::<Own>() {
        replica.clone_into(&mut own.replica);
    }
    response
}

/// For who may not call a path. What the request still has to send is not read.
pub(super) fn turned_away(status: StatusCode, why: &str) -> Response<ClientBody> {
    let mut response = refused(status, why);
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer, Basic realm=\"flows\""));
    }
    response
}

/// A text response of the gateway's own.
pub(super) fn plain(status: StatusCode, text: impl Into<String>) -> Response<ClientBody> {
    let text = text.into();
    // What a replica is to blame for. 501 and 505 are about the request, and anybody can send such.
    let of_a_replica = [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
    let own = of_a_replica.contains(&status).then(|| Own { why: text.clone(), replica: String::new() });
    let text = text + "\n";
    let mut response = Response::new(ClientBody::Own(Full::new(Bytes::from(text))));
    *response.status_mut() = status;
    if let Some(own) = own {
        response.extensions_mut().insert(own);
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Seconds after which a client may ask again whether a paused group goes on.
const RESUMED_PERHAPS: &str = "10";

/// The answer while the group is paused.
pub(super) fn paused() -> Response<ClientBody> {
    let why = "the group is paused for maintenance; try again later";
    let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, why);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RESUMED_PERHAPS));
    response
}

/// The answer to a request that was refused; nothing is read behind it.
pub(super) fn refused(status: StatusCode, why: &str) -> Response<ClientBody> {
    let mut response = plain(status, why);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(CONNECTION, HeaderValue::from_static("close, upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    response
}
