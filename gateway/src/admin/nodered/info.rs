//! `/settings` and `/diagnostics`.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::api::Api;
use super::super::caller::Caller;
use super::flows::current;
use super::problem::Refusal;

/// The version of Node-RED whose admin API this is.
const NODE_RED: &str = "4.1.0";

/// `GET /settings`
pub(in super::super) async fn settings(caller: Caller) -> Json<Value> {
    Json(json!({
        "httpNodeRoot": "/",
        "version": NODE_RED,
        "flotillaVersion": env!("CARGO_PKG_VERSION"),
        "user": {"username": caller.name(), "anonymous": false, "permissions": permissions(&caller)},
        "context": {"default": "memory", "stores": ["memory", "shared"]},
        "libraries": [],
        "flowEncryptionType": "user",
        "diagnostics": {"enabled": true, "ui": true},
        "runtimeState": {"enabled": false, "ui": false},
        "functionExternalModules": false,
        "functionTimeout": 0,
        "editorTheme": {"palette": {"editable": false}},
    }))
}

fn permissions(caller: &Caller) -> &'static str {
    match caller.may_deploy() {
        true => "*",
        false => "read",
    }
}

/// `GET /diagnostics`
pub(in super::super) async fn diagnostics(State(api): State<Api>) -> Result<Json<Value>, Refusal> {
    let now = Timestamp::now();
    let replicas = api.registry(&api.group)?.list().await?;
    Ok(Json(json!({
        "report": "diagnostics",
        "scope": "basic",
        "time": {"utc": now.to_string(), "local": now.to_string()},
        "os": {"platform": std::env::consts::OS, "arch": std::env::consts::ARCH},
        "runtime": {
            "version": NODE_RED,
            "flotilla": env!("CARGO_PKG_VERSION"),
            "isStarted": !replicas.is_empty(),
            "flows": {"rev": current(&api).await?.rev, "state": "start", "started": !replicas.is_empty()},
            "modules": {},
            "settings": {},
        },
        "group": {"name": api.group, "replicas": replicas},
    })))
}
