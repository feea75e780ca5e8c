//! Accepts connections and sets up what they speak below MQTT.

use std::{net::SocketAddr, time::Duration};

use flotilla_sockets::show_progress;
use flotilla_tasks::Task;
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use super::{Shared, Slots, connection, ws::WebSocket};

/// What a listener speaks below MQTT.
#[derive(Clone)]
pub(super) enum Transport {
    /// Nothing.
    Tcp,
    /// TLS.
    Tls(TlsAcceptor),
    /// WebSocket, subprotocol `mqtt`.
    WebSocket,
}

/// Accepts connections until the broker stops.
pub(super) async fn serve(listener: TcpListener, transport: Transport, shared: Shared) {
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (whole, each) = (shared.config.max_connections, shared.config.max_connections_per_address);
                let Some(slot) = Slots::take(&shared.slots, peer.ip(), whole, each) else {
                    debug!(%peer, "closed: too many connections");
                    continue;
                };
                let (own, transport) = (shared.clone(), transport.clone());
                shared.tasks.spawn(task(peer).supervise(async move {
                    serve_one(stream, peer, transport, own).await;
                    drop(slot);
                }));
            }
            // Out of file descriptors, most likely: give connections time to end.
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// A connection of this client.
pub(super) fn task(peer: SocketAddr) -> Task {
    Task {
        name: "broker connection",
        owner: peer.to_string().into(),
        ends: "the client or the router closes it",
        failure: "the connection is cut; what its client held is handed to others",
    }
}

async fn serve_one(stream: TcpStream, peer: SocketAddr, transport: Transport, shared: Shared) {
    // Batches are flushed once: nothing is gained by waiting for more.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    show_progress(&stream);
    let patience = Duration::from_secs(shared.config.connect_timeout);
    match transport {
        Transport::Tcp => connection::run(stream, peer, shared).await,
        Transport::Tls(acceptor) => match timeout(patience, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => connection::run(stream, peer, shared).await,
            Ok(Err(error)) => debug!(%peer, %error, "TLS handshake failed"),
            Err(_) => debug!(%peer, "no TLS handshake in time"),
        },
        Transport::WebSocket => {
            let (largest, origins) = (shared.config.max_packet, &shared.config.ws_origins);
            match timeout(patience, WebSocket::accept(stream, largest, origins)).await {
                Ok(Ok(stream)) => connection::run(stream, peer, shared).await,
                Ok(Err(error)) => debug!(%peer, %error, "WebSocket upgrade failed"),
                Err(_) => debug!(%peer, "no WebSocket upgrade in time"),
            }
        }
    }
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Tcp => "tcp",
            Self::Tls(_) => "tls",
            Self::WebSocket => "websocket",
        })
    }
}
