//! `/livez`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use flotilla_tasks::Task;
use parking_lot::RwLock;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::door::Door;
use super::metrics::Metrics;

/// What is not ready, and why. Ready when nothing is listed.
///
/// It begins with something that is not ready: the endpoints are served before the rest of the process has started, and who asks
/// in between must not be told that it has.
#[derive(Clone)]
pub struct Readiness(Arc<Parts>);

#[derive(Default)]
struct Parts {
    missing: RwLock<Vec<(String, String)>>,
    /// Why the process is to be ended and started anew.
    sick: RwLock<Option<String>>,
    /// What does not work although it is ready.
    notes: RwLock<Option<Notes>>,
}

type Notes = Box<dyn Fn() -> Vec<String> + Send + Sync>;

impl Readiness {
    /// Not ready until `part` is.
    pub fn new(part: &str, why: impl Into<String>) -> Readiness {
        let readiness = Readiness(Arc::default());
        readiness.waiting(part, why);
        readiness
    }

    /// A part is not ready.
    pub fn waiting(&self, part: &str, why: impl Into<String>) {
        let mut parts = self.0.missing.write();
        parts.retain(|(name, _)| name != part);
        parts.push((part.to_owned(), why.into()));
    }

    /// A part is ready.
    pub fn ready(&self, part: &str) {
        self.0.missing.write().retain(|(name, _)| name != part);
    }

    /// What is not ready, and why.
    pub fn missing(&self) -> Vec<(String, String)> {
        let sick = self.0.sick.read().clone().map(|why| ("worker".to_owned(), why));
        self.0.missing.read().iter().cloned().chain(sick).collect()
    }

    /// The process does not work and does not mend itself: `/livez` says so.
    pub fn sick(&self, why: &str) {
        *self.0.sick.write() = Some(why.to_owned());
    }

    /// What `/readyz` says besides: lines about what does not work although the process is ready.
    pub fn note(&self, notes: impl Fn() -> Vec<String> + Send + Sync + 'static) {
        *self.0.notes.write() = Some(Box::new(notes));
    }

    fn notes(&self) -> Vec<String> {
        self.0.notes.read().as_ref().map(|notes| notes()).unwrap_or_default()
    }
}

/// The health and metrics endpoints of a process.
pub struct Ops {
    address: SocketAddr,
    stop: CancellationToken,
}

#[derive(Clone)]
struct Served {
    readiness: Readiness,
    metrics: Metrics,
}

impl Ops {
    /// The routes, for a process that serves them beside others.
    pub fn routes(readiness: Readiness, metrics: Metrics) -> Router {
        Router::new()
            .route("/livez", get(livez))
            .route("/readyz", get(readyz))
            .route("/metrics", get(|State(served): State<Served>| async move { served.metrics.render_all().await }))
            .with_state(Served { readiness, metrics })
    }

    /// Serves the routes and `also` on an address of their own.
    pub async fn start(
        listen: SocketAddr,
        readiness: Readiness,
        metrics: Metrics,
        also: Router,
    ) -> anyhow::Result<Ops> {
        let listener = TcpListener::bind(listen).await.with_context(|| {
            format!("cannot listen on {listen} for /livez, /readyz and /metrics: choose another --ops")
        })?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let ended = stop.clone();
        let app = Ops::routes(readiness, metrics).merge(also);
        let task = Task {
            name: "ops server",
            owner: address.to_string().into(),
            ends: "the process drops it",
            failure: "health and metrics are not served any more",
        };
        task.spawn(async move {
            let door = Door(listener);
            let served = axum::serve(door, app).with_graceful_shutdown(async move { ended.cancelled().await }).await;
            if let Err(error) = served {
                tracing::error!(%error, "the health and metrics endpoints ended");
            }
        });
        Ok(Ops { address, stop })
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Ops {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn livez(State(served): State<Served>) -> (StatusCode, String) {
    match &*served.readiness.0.sick.read() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn readyz(State(served): State<Served>) -> (StatusCode, String) {
    let missing = served.readiness.missing();
    if missing.is_empty() {
        let notes: String = served.readiness.notes().into_iter().map(|note| note + "\n").collect();
        return (StatusCode::OK, format!("ready\n{notes}"));
    }
    let lines = missing.iter().map(|(part, why)| format!("{part}: {why}\n")).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines)
}
