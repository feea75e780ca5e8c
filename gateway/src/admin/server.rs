//! The admin API's listener.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;
use flotilla_balancer::tls::Tls;
use flotilla_tasks::Task;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::api::Api;
use super::body::LARGEST;
use super::doors::{Doors, Peer};
use super::gate::{Gate, local_only};
use super::guard::Post;
use super::openapi::document;
use super::problem::Failure;
use super::refusal::as_problem;
use super::refusals::Refusals;
use super::routes::{api_routes, routes};
use super::token::Token;

/// Why the admin API cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Not a loopback address, and no token.
    #[error("without an admin token (FLOTILLA_ADMIN_TOKEN) the admin API listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address cannot be bound.
    #[error("cannot listen on {address} for the admin API")]
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
    /// Binds and begins to serve; `also` are routes of the process, such as `/metrics`. With a token, requests to the API
    /// have to show it, and may come from anywhere; `also` stays open, as on the ops addresses of other processes.
    pub async fn start(
        listen: SocketAddr,
        tls: Option<Arc<Tls>>,
        token: Option<Token>,
        api: Api,
        also: Router,
    ) -> Result<Admin, StartError> {
        if token.is_none() && !listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(listen));
        }
        let failed = |source| StartError::Bind { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stop = CancellationToken::new();
        let by_proxy = api.sign_in.as_ref().is_some_and(|sign_in| sign_in.provider.is_reached_by_tls());
        let has_tls = tls.is_some() || by_proxy;
        let doors = Doors::open(listener, tls, stop.clone()).map_err(failed)?;
        let ended = stop.clone();
        let open = token.is_none();
        let api = Api { token: token.clone(), tls: has_tls, ..api };
        let app = app(Gate::new(token, api.accounts.clone()), api).merge(also);
        let app = if open { app.layer(from_fn(local_only)) } else { app };
        let task = Task {
            name: "admin API",
            owner: address.to_string().into(),
            ends: "it is dropped",
            failure: "the admin API is not served any more; restart the gateway",
        };
        task.spawn(async move {
            let app = app.into_make_service_with_connect_info::<Peer>();
            let served = axum::serve(doors, app).with_graceful_shutdown(async move { ended.cancelled().await }).await;
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

fn app(gate: Gate, api: Api) -> Router {
    let api = Api { document: document(&api_routes()), ..api };
    let post = Arc::new(Post { gate, api: api.clone(), refusals: Refusals::default() });
    routes()
        .guarded(&post)
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(api)
        .fallback(not_found)
        .layer(from_fn(as_problem))
}

async fn not_found(uri: Uri) -> Response {
    // Browsers ask for it beside each page.
    if uri.path() == "/favicon.ico" {
        return StatusCode::NO_CONTENT.into_response();
    }
    let detail = format!("there is nothing at {}; see /api/v1/status", uri.path());
    Failure::from(Problem::new(404, "not_found", detail)).into_response()
}
