//! Shared context: the keys that all replicas of a group see.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use flotilla_api::Problem;
use flotilla_group::context_prefix;
use flotilla_store::Write;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::parameters::{Path, Query};
use super::problem::Failure;

/// Which keys: those whose `SCOPE/KEY` begins so.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Which {
    #[serde(default)]
    prefix: String,
}

/// `GET /api/v1/groups/{group}/context?prefix=`: an object of `SCOPE/KEY` to value.
pub(super) async fn list(
    State(api): State<Api>,
    Path(group): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Map<String, Value>>, Failure> {
    let start = context_prefix(&group);
    let entries = api.store.list(&format!("{start}{}", which.prefix)).await?;
    let pair = |entry: &flotilla_store::Entry| {
        let key = entry.key.strip_prefix(&start)?.to_owned();
        Some((key, serde_json::from_slice(&entry.value).ok()?))
    };
    Ok(Json(entries.iter().filter_map(pair).collect()))
}

/// `PUT /api/v1/groups/{group}/context`: sets each `SCOPE/KEY` of the object; `null` removes a key.
pub(super) async fn set(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
    Body(values): Body<Map<String, Value>>,
) -> Result<StatusCode, Failure> {
    api.registry(&group)?;
    if let Some(bad) =
        values.keys().find(|key| !key.split_once('/').is_some_and(|(scope, key)| !scope.is_empty() && !key.is_empty()))
    {
        let detail = format!("context key \"{bad}\" must be SCOPE/KEY, for example global/count or TAB-ID/count");
        return Err(Problem::new(400, "bad_context_key", detail).of_field("key").into());
    }
    for (key, value) in &values {
        let full = context_prefix(&group) + key;
        if value.is_null() {
            api.store.delete(&full, None).await?;
        } else {
            api.store.set(&full, Bytes::from(value.to_string()), Write::default()).await?;
        }
    }
    let keys = values.keys().cloned().collect::<Vec<_>>().join(", ");
    api.audit(&group)?.write(caller.entry("context-set", keys)).await?;
    Ok(StatusCode::NO_CONTENT)
}
