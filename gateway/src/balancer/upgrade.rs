//! WebSocket upgrades pass through.

use hyper::body::Incoming;
use hyper::header::{CONNECTION, UPGRADE};
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

/// True when the client asks to change the protocol (RFC 9110, section 7.8).
pub(super) fn requested(request: &Request<Incoming>) -> bool {
    let connection = request.headers().get(CONNECTION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    request.headers().contains_key(UPGRADE)
        && connection.split(',').any(|token| token.trim().eq_ignore_ascii_case("upgrade"))
}

/// Joins both sides once the client has the 101 response. Ends when either side closes.
pub(super) fn join<B>(client: OnUpgrade, response: &mut Response<B>) {
    let replica = hyper::upgrade::on(response);
    tokio::spawn(async move {
        let (client, replica) = match tokio::try_join!(client, replica) {
            Ok(sides) => sides,
            Err(error) => return tracing::debug!(%error, "upgrade failed"),
        };
        let (mut client, mut replica) = (TokioIo::new(client), TokioIo::new(replica));
        if let Err(error) = tokio::io::copy_bidirectional(&mut client, &mut replica).await {
            tracing::debug!(%error, "upgraded connection ended");
        }
    });
}
