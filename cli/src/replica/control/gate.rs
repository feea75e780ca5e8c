//! Who may look.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use flotilla_api::Problem;
use flotilla_engine::Shared;
use flotilla_engine::observe::DebugFeed;
use flotilla_gateway::admin::{Failure, LARGEST, Token, as_problem};
use tokio_util::sync::CancellationToken;

use super::{debug, inject, logs, nodes, timers, trails};

/// How long streams may take to say their last.
const LAST: Duration = Duration::from_millis(500);
/// How often it is looked whether they have.
const STEP: Duration = Duration::from_millis(5);

/// The control server: closed until the replica has joined its group.
#[derive(Clone, Default)]
pub struct Control {
    opened: Arc<OnceLock<Opened>>,
    ending: Ending,
}

/// The end of the process, for the streams that are open: each says its last before it.
#[derive(Clone, Default)]
pub(super) struct Ending {
    pub(super) begun: CancellationToken,
    open: Arc<AtomicUsize>,
}

/// A stream that is open, until it is dropped.
pub(super) struct Open(Arc<AtomicUsize>);

/// What is looked at.
pub struct Opened {
    /// What has to be shown.
    pub token: Token,
    /// The replica's id.
    pub id: String,
    /// Its engine.
    pub shared: Arc<Shared>,
    /// What its debug nodes show.
    pub debug: Arc<DebugFeed>,
}

impl Control {
    /// From now on it answers.
    pub fn open(&self, opened: Opened) {
        drop(self.opened.set(opened));
    }

    /// The process ends: streams say their last. Waits for them, but not for long.
    pub async fn end(&self) {
        self.ending.begun.cancel();
        let until = tokio::time::Instant::now() + LAST;
        while self.ending.open.load(Ordering::Acquire) > 0 && tokio::time::Instant::now() < until {
            tokio::time::sleep(STEP).await;
        }
    }

    pub(super) fn ending(&self) -> Ending {
        self.ending.clone()
    }

    /// What is looked at; an error while the replica starts.
    pub(super) fn opened(&self) -> Result<&Opened, Failure> {
        let starts = || Failure(Problem::new(503, "starts", "this replica starts: it has not joined its group yet"));
        self.opened.get().ok_or_else(starts)
    }

    /// The routes.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/control/v1/nodes", get(nodes::nodes))
            .route("/control/v1/nodes/{node}/inject", post(inject::inject))
            .route("/control/v1/debug", get(debug::debug))
            .route("/control/v1/timers", get(timers::timers))
            .route("/control/v1/trails", get(trails::trails))
            .route("/control/v1/trails/rule", post(trails::check))
            .route("/control/v1/logs", get(logs::logs))
            .route("/control/v1/{*rest}", any(not_found))
            .layer(DefaultBodyLimit::max(LARGEST))
            .layer(from_fn_with_state(self.clone(), check))
            .layer(from_fn(as_problem))
            .with_state(self.clone())
    }
}

impl Ending {
    /// A stream begins: the end waits for it.
    pub(super) fn open(&self) -> Open {
        self.open.fetch_add(1, Ordering::AcqRel);
        Open(self.open.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn admits(token: &Token, headers: &HeaderMap) -> Result<(), Failure> {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    match shown {
        Some((_, shown)) if token.is(shown.trim()) => Ok(()),
        _ => {
            let detail = "only gateways of this replica's group may ask this: they show the control token in the store";
            Err(Failure(Problem::new(401, "no_control_token", detail)))
        }
    }
}

async fn check(State(control): State<Control>, request: Request, next: Next) -> Response {
    match control.opened().and_then(|opened| admits(&opened.token, request.headers())) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

async fn not_found(uri: Uri) -> Failure {
    Failure(Problem::new(404, "not_found", format!("a replica of this version has nothing at {}", uri.path())))
}
