//! The admin API's listener.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use flotilla_group::member::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::problem::Problem;
use super::status::status;

/// Why the admin API cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Not a loopback address: there are no users and tokens yet.
    #[error("the admin API has no users and tokens yet, so it listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address cannot be bound.
    #[error("cannot listen on {address} for the admin API: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The admin API. Stops when it is dropped.
pub struct Admin {
    address: SocketAddr,
    stop: CancellationToken,
}

impl Admin {
    /// Binds and begins to serve; `also` are routes of the process, such as `/metrics`.
    pub async fn start(listen: SocketAddr, registry: Registry, also: Router) -> Result<Admin, StartError> {
        if !listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(listen));
        }
        let failed = |source| StartError::Bind { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stop = CancellationToken::new();
        let ended = stop.clone();
        let api =
            Router::new().route("/api/v1/status", get(status)).with_state(registry).fallback(not_found).merge(also);
        tokio::spawn(async move {
            let served =
                axum::serve(listener, api).with_graceful_shutdown(async move { ended.cancelled().await }).await;
            if let Err(error) = served {
                tracing::error!(%error, "the admin API ended");
            }
        });
        Ok(Admin { address, stop })
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn not_found(uri: axum::http::Uri) -> Problem {
    let detail = format!("there is nothing at {}; see /api/v1/status", uri.path());
    Problem { status: 404, code: "not_found", detail, field: None }
}
