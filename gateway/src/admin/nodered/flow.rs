//! `/flow`: one tab.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flotilla_flows::DeployType;
use serde_json::{Value, json};

use super::super::api::Api;
use super::super::body::Body;
use super::super::caller::Caller;
use super::flows::{current, deploy};
use super::problem::Refusal;
use super::tabs;

/// `GET /flow/:id`
pub(in super::super) async fn get(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    tabs::get(&current(&api).await?.flows, &id).map(Json).ok_or_else(Refusal::not_found)
}

/// `POST /flow`: adds a tab, under a new id.
pub(in super::super) async fn post(
    State(api): State<Api>,
    caller: Caller,
    Body(flow): Body<Value>,
) -> Result<Json<Value>, Refusal> {
    let id = format!("{:016x}", rand::random::<u64>());
    change(&api, &caller, |flows| tabs::put(flows, &id, flow.clone())).await?;
    Ok(Json(json!({"id": id})))
}

/// `PUT /flow/:id`: replaces a tab.
pub(in super::super) async fn put(
    State(api): State<Api>,
    Path(id): Path<String>,
    caller: Caller,
    Body(flow): Body<Value>,
) -> Result<Json<Value>, Refusal> {
    if !tabs::has(&current(&api).await?.flows, &id) {
        return Err(Refusal::not_found());
    }
    change(&api, &caller, |flows| tabs::put(flows, &id, flow.clone())).await?;
    Ok(Json(json!({"id": id})))
}

/// `DELETE /flow/:id`
pub(in super::super) async fn delete(
    State(api): State<Api>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Refusal> {
    if id == "global" {
        return Err(Refusal::new(400, "not_allowed", "not allowed to remove global"));
    }
    if !tabs::has(&current(&api).await?.flows, &id) {
        return Err(Refusal::not_found());
    }
    change(&api, &caller, |flows| Ok(tabs::remove(flows, &id))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deploys a change of what the group goes to, unless that changes meanwhile.
async fn change(
    api: &Api,
    caller: &Caller,
    change: impl Fn(&[Value]) -> Result<Vec<Value>, String>,
) -> Result<(), Refusal> {
    let now = current(api).await?;
    let flows = change(&now.flows).map_err(|reason| Refusal::new(400, "invalid_flow", reason))?;
    deploy(api, caller, flows.into(), Some(now.rev), Value::Null, DeployType::Flows).await.map(drop)
}
