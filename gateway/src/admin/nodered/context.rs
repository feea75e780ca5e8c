//! `/context`: what the group's replicas share. What a replica has in memory is its own, and not shown.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flotilla_group::context_prefix;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::api::Api;
use super::super::caller::Caller;
use super::problem::Refusal;

/// The store that all replicas share.
const SHARED: &str = "shared";

/// Which store, and whether values are wanted.
#[derive(Deserialize)]
pub(in super::super) struct Asked {
    store: Option<String>,
    #[serde(rename = "keysOnly")]
    keys_only: Option<String>,
}

/// `GET /context/global`
pub(in super::super) async fn global(
    State(api): State<Api>,
    Query(which): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    all(&api, "global", &which).await
}

/// `GET /context/{flow|node}/:id`
pub(in super::super) async fn of_scope(
    State(api): State<Api>,
    Path((kind, id)): Path<(String, String)>,
    Query(which): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    match kind.as_str() {
        // One key of the global scope has as many parts.
        "global" => one(&api, "global", &id, &which).await,
        _ => all(&api, scope(&kind, &id)?, &which).await,
    }
}

/// `GET /context/{flow|node}/:id/:key`
pub(in super::super) async fn key_of_scope(
    State(api): State<Api>,
    Path((kind, id, key)): Path<(String, String, String)>,
    Query(which): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    one(&api, scope(&kind, &id)?, &key, &which).await
}

/// `DELETE /context/global/:key`
pub(in super::super) async fn delete_global(
    State(api): State<Api>,
    Path((kind, key)): Path<(String, String)>,
    caller: Caller,
) -> Result<StatusCode, Refusal> {
    if kind != "global" {
        return Err(Refusal::not_found());
    }
    delete(&api, &caller, "global", &key).await
}

/// `DELETE /context/{flow|node}/:id/:key`
pub(in super::super) async fn delete_of_scope(
    State(api): State<Api>,
    Path((kind, id, key)): Path<(String, String, String)>,
    caller: Caller,
) -> Result<StatusCode, Refusal> {
    delete(&api, &caller, scope(&kind, &id)?, &key).await
}

/// The scope by its name in the store.
fn scope<'a>(kind: &str, id: &'a str) -> Result<&'a str, Refusal> {
    match kind {
        "flow" | "node" => Ok(id),
        _ => Err(Refusal::not_found()),
    }
}

fn check_store(which: &Asked) -> Result<(), Refusal> {
    match which.store.as_deref() {
        None | Some(SHARED) => Ok(()),
        Some(other) => {
            let message = format!("store \"{other}\" is each replica's own: only \"{SHARED}\" is shown");
            Err(Refusal::new(404, "not_found", message))
        }
    }
}

async fn all(api: &Api, scope: &str, which: &Asked) -> Result<Json<Value>, Refusal> {
    check_store(which)?;
    let prefix = format!("{}{scope}/", context_prefix(&api.group));
    let entries = api.store.list(&prefix).await?;
    let keys = entries.iter().filter_map(|entry| Some((entry.key.strip_prefix(&prefix)?.to_owned(), &entry.value)));
    let shown: Value = match which.keys_only.is_some() {
        true => keys.map(|(key, _)| Value::from(key)).collect(),
        false => keys
            .map(|(key, value)| (key, json!({"msg": encoded(value).0, "format": encoded(value).1})))
            .collect::<Map<String, Value>>()
            .into(),
    };
    Ok(Json(json!({SHARED: shown})))
}

async fn one(api: &Api, scope: &str, key: &str, which: &Asked) -> Result<Json<Value>, Refusal> {
    check_store(which)?;
    let full = format!("{}{scope}/{key}", context_prefix(&api.group));
    let (msg, format) = match api.store.get(&full).await? {
        Some(entry) => encoded(&entry.value),
        None => ("(undefined)".to_owned(), "undefined".to_owned()),
    };
    Ok(Json(json!({"msg": msg, "format": format, "store": SHARED})))
}

async fn delete(api: &Api, caller: &Caller, scope: &str, key: &str) -> Result<StatusCode, Refusal> {
    let full = format!("{}{scope}/{key}", context_prefix(&api.group));
    if !api.store.delete(&full, None).await? {
        return Err(Refusal::not_found());
    }
    api.audit(&api.group)?.write(caller.entry("context-set", format!("{scope}/{key}"))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A value as Node-RED's editor shows it: its text, and what it is (`util.encodeObject`).
fn encoded(value: &[u8]) -> (String, String) {
    match serde_json::from_slice(value).unwrap_or_default() {
        Value::Null => ("null".to_owned(), "null".to_owned()),
        Value::Bool(flag) => (flag.to_string(), "boolean".to_owned()),
        Value::Number(number) => (number.to_string(), "number".to_owned()),
        Value::String(text) => {
            let format = format!("string[{}]", text.encode_utf16().count());
            (text, format)
        }
        Value::Array(list) => {
            let format = format!("array[{}]", list.len());
            (Value::Array(list).to_string(), format)
        }
        object @ Value::Object(_) => (object.to_string(), "Object".to_owned()),
    }
}
