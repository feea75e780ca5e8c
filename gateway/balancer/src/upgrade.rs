//! WebSocket upgrades pass through.

use std::sync::Arc;

use flotilla_tasks::Task;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;

use super::backend::Backend;
use super::meters::Tunnel;

/// True when the client asks for a WebSocket (RFC 9110, section 7.8). That the handshake is a good one was checked before.
pub(super) fn requested(request: &Request<Incoming>) -> bool {
    let has = |name, token: &str| {
        let values = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
    };
    request.headers().contains_key(UPGRADE)
        && request.version() == Version::HTTP_11
        && has(UPGRADE, "websocket")
        && has(CONNECTION, "upgrade")
}

/// Joins both sides once the client has the 101 response. Ends when either side closes, when keepalive gives one up, or when
/// the registry does not have the replica any more.
pub(super) fn join<B>(client: OnUpgrade, response: &mut Response<B>, backend: &Arc<Backend>, tunnel: Tunnel) {
    let replica = hyper::upgrade::on(response);
    let (gone, count) = (backend.gone().clone(), backend.enter());
    let task = Task {
        name: "websocket tunnel",
        owner: backend.id.as_str().into(),
        ends: "either side closes, keepalive gives one up, or the replica is gone",
        failure: "both sides are closed",
    };
    task.spawn(async move {
        let _held = (tunnel, count);
        let (client, replica) = match tokio::try_join!(client, replica) {
            Ok(sides) => sides,
            Err(error) => return tracing::debug!(%error, "upgrade failed"),
        };
        let (mut client, mut replica) = (TokioIo::new(client), TokioIo::new(replica));
        tokio::select! {
            copied = tokio::io::copy_bidirectional(&mut client, &mut replica) => {
                if let Err(error) = copied {
                    tracing::debug!(%error, "upgraded connection ended");
                }
            }
            () = gone.cancelled() => {}
        }
    });
}
