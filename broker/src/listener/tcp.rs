use std::{net::SocketAddr, time::Duration};

use tokio::net::{TcpListener, TcpStream};
use tracing::warn;

use super::{Shared, connection};
use crate::broker::StartError;

/// Binds `address`; port 0 takes a free one.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Bind { address, source })
}

/// Accepts connections until the broker stops.
pub async fn serve(listener: TcpListener, shared: Shared) {
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let own = shared.clone();
                shared.tasks.spawn(serve_one(stream, peer, own));
            }
            // Out of file descriptors, most likely: give connections time to end.
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve_one(stream: TcpStream, peer: SocketAddr, shared: Shared) {
    // Batches are flushed once: nothing is gained by waiting for more.
    if stream.set_nodelay(true).is_ok() {
        connection::run(stream, peer, shared).await;
    }
}
