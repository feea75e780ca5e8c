//! WebSocket upgrades: the handshake's answer here, the socket to whoever listens on the path.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use flotilla_tasks::Task;
use futures::future::LocalBoxFuture;
use http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::answer::{Answer, plain, whole};

/// An upgraded connection.
pub type Upgraded = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Takes the WebSockets of a path.
pub trait UpgradeHandler: Send + Sync {
    /// Limits of the sockets.
    fn limits(&self) -> WebSocketConfig;

    /// Serves one connection until it ends, on the worker that accepted it.
    fn serve(&self, socket: Upgraded, peer: SocketAddr) -> LocalBoxFuture<'static, ()>;
}

/// True when the client asks for a WebSocket. That the handshake is a good one was checked before.
pub(super) fn is_upgrade<B>(request: &http::Request<B>) -> bool {
    let has = |name, token: &str| {
        let values = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
    };
    request.version() == http::Version::HTTP_11
        && has(header::UPGRADE, "websocket")
        && has(header::CONNECTION, "upgrade")
}

/// Answers the handshake (RFC 6455, 4.2.2) and hands the socket over once the answer is out.
pub(super) fn accept(
    mut request: http::Request<Incoming>,
    peer: SocketAddr,
    handler: Arc<dyn UpgradeHandler>,
) -> Answer {
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY).cloned() else {
        return plain(StatusCode::BAD_REQUEST, "A WebSocket handshake needs Sec-WebSocket-Key".to_owned());
    };
    let upgraded = hyper::upgrade::on(&mut request);
    let protocol = request.headers().get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok());
    let protocol =
        protocol.and_then(|list| list.split(',').next()).and_then(|one| HeaderValue::try_from(one.trim()).ok());
    let task = Task {
        name: "websocket connection",
        owner: format!("{peer}").into(),
        ends: "either side closes it, or its listener is closed",
        failure: "the connection is closed and the messages that it held fail",
    };
    task.spawn_local(async move {
        let Ok(stream) = upgraded.await else { return };
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, Some(handler.limits())).await;
        handler.serve(socket, peer).await;
    });
    let mut answer = Answer::new(whole(Bytes::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    // As npm's ws: the first protocol that the client names.
    if let Some(protocol) = protocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    answer
}
