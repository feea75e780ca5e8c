//! `/nodes`: the node types. They are part of the binary: none is installed, switched off or removed here.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::api::Api;
use super::problem::Refusal;

/// The module that Node-RED's own types are in.
const MODULE: &str = "node-red";

fn set(kind: &str) -> Value {
    json!({
        "id": format!("{MODULE}/{kind}"),
        "name": kind,
        "types": [kind],
        "enabled": true,
        "local": false,
        "user": false,
        "module": MODULE,
        "version": env!("CARGO_PKG_VERSION"),
    })
}

fn sets(api: &Api) -> Vec<Value> {
    let mut kinds: Vec<&str> = api.types.known.iter().map(String::as_str).collect();
    kinds.sort_unstable();
    kinds.into_iter().map(set).collect()
}

/// `GET /nodes`
pub(in super::super) async fn list(State(api): State<Api>) -> Json<Value> {
    Json(sets(&api).into())
}

/// `GET /nodes/MODULE`; a bare type is taken as well, as `node-red-admin info` sends it.
pub(in super::super) async fn module(State(api): State<Api>, Path(name): Path<String>) -> Result<Json<Value>, Refusal> {
    if name == MODULE {
        return Ok(Json(json!({"name": MODULE, "version": env!("CARGO_PKG_VERSION"), "nodes": sets(&api)})));
    }
    Err(Refusal::not_found())
}

/// `GET /nodes/MODULE/SET`
pub(in super::super) async fn one(
    State(api): State<Api>,
    Path((module, name)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let known = module == MODULE && api.types.known.contains(&name);
    known.then(|| Json(set(&name))).ok_or_else(Refusal::not_found)
}

/// `POST /nodes`, `PUT` and `DELETE /nodes/...`
pub(in super::super) async fn fixed() -> Refusal {
    let message = "node types are part of Flotilla: none is installed, switched off or removed at run time";
    Refusal::new(400, "not_allowed", message)
}
