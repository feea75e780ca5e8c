//! The editor's buttons over HTTP: inject and debug.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use flotilla_tasks::Task;
use serde_json::Value as Body;
use tokio::net::TcpListener;

use flotilla_engine::{Engine, Shared};
use flotilla_nodes_core::{inject_now, set_debug_active};

/// Serves the buttons on a free port of the loopback address for as long as the process lives; answers the base URL.
pub(super) async fn serve(engine: &Engine) -> std::io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let routes = Router::new()
        .route("/inject/{id}", post(inject))
        .route("/debug/{id}", post(debug_many))
        .route("/debug/{id}/{state}", post(debug_one))
        .with_state(engine.shared().clone());
    let task = Task {
        name: "testhost buttons",
        owner: "testhost".into(),
        ends: "the process ends",
        failure: "the buttons answer no more",
    };
    task.spawn(async move {
        if let Err(error) = axum::serve(listener, routes).await {
            tracing::error!("testhost: the admin server ended: {error}");
        }
    });
    Ok(url)
}

async fn inject(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Option<Json<Body>>) -> StatusCode {
    let body = body.map(|Json(body)| flotilla_value::from_json(&body));
    if inject_now(&shared, &id, body.as_ref()).await { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

fn wanted(state: &str) -> Option<(bool, StatusCode)> {
    match state {
        "enable" => Some((true, StatusCode::OK)),
        "disable" => Some((false, StatusCode::CREATED)),
        _ => None,
    }
}

async fn debug_many(
    State(shared): State<Arc<Shared>>,
    Path(state): Path<String>,
    body: Option<Json<Body>>,
) -> StatusCode {
    let Some((active, answer)) = wanted(&state) else { return StatusCode::NOT_FOUND };
    let ids = body.as_ref().and_then(|Json(body)| body.get("nodes")).and_then(Body::as_array);
    let Some(ids) = ids else { return StatusCode::BAD_REQUEST };
    for id in ids.iter().filter_map(Body::as_str) {
        set_debug_active(&shared, id, active).await;
    }
    answer
}

async fn debug_one(State(shared): State<Arc<Shared>>, Path((id, state)): Path<(String, String)>) -> StatusCode {
    let Some((active, answer)) = wanted(&state) else { return StatusCode::NOT_FOUND };
    if set_debug_active(&shared, &id, active).await { answer } else { StatusCode::NOT_FOUND }
}
