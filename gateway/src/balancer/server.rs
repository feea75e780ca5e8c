//! The listener for flow traffic.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::forward::forward;
use super::pool::Pool;

/// How the balancer listens.
#[derive(Clone, Debug)]
pub struct BalancerConfig {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// How long a request waits for a ready replica before it is answered 503.
    pub patience: Duration,
}

/// Why the balancer cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for flow traffic")]
pub struct StartError {
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    pub source: std::io::Error,
}

/// The front door for flow traffic.
pub struct Balancer {
    address: SocketAddr,
    stop: CancellationToken,
    connections: TaskTracker,
}

impl Balancer {
    /// Binds and begins to serve.
    pub async fn start(config: BalancerConfig, pool: Arc<Pool>) -> Result<Balancer, StartError> {
        let failed = |source| StartError { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let balancer = Balancer { address, stop: CancellationToken::new(), connections: TaskTracker::new() };
        let (stop, connections) = (balancer.stop.clone(), balancer.connections.clone());
        balancer.connections.spawn(accept(listener, pool, config.patience, stop, connections));
        Ok(balancer)
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new connections, lets open requests finish until the deadline.
    pub async fn shutdown(self, deadline: Duration) {
        self.stop.cancel();
        self.connections.close();
        let _ = tokio::time::timeout(deadline, self.connections.wait()).await;
    }
}

async fn accept(
    listener: TcpListener,
    pool: Arc<Pool>,
    patience: Duration,
    stop: CancellationToken,
    connections: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: others will be closed soon.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let (pool, stop) = (pool.clone(), stop.clone());
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let pool = pool.clone();
                async move { Ok::<_, std::convert::Infallible>(forward(&pool, request, peer.ip(), patience).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(30))
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            let mut connection = std::pin::pin!(connection);
            let served = tokio::select! {
                served = &mut connection => served,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = served {
                tracing::debug!(%error, %peer, "client connection ended");
            }
        });
    }
}
