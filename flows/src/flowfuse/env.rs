//! Environment variables of a snapshot: `"value"`, `{"value": ..., "hidden": true}` or `{"$": ..., "hidden": true}`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::snapshot::{FlowFuseError, FlowFuseVar};
use crate::credentials::{decrypt_text, encrypt_text};

/// What the platform sets itself; FlowFuse drops it on both ways.
const PLATFORM: &str = "FF_";

pub(super) fn read(
    fields: &Map<String, Value>,
    secret: Option<&str>,
) -> Result<BTreeMap<String, FlowFuseVar>, FlowFuseError> {
    let ours = fields.iter().filter(|(name, _)| !name.starts_with(PLATFORM));
    ours.map(|(name, value)| Ok((name.clone(), var(name, value, secret)?))).collect()
}

fn var(name: &str, value: &Value, secret: Option<&str>) -> Result<FlowFuseVar, FlowFuseError> {
    let Value::Object(fields) = value else {
        return Ok(FlowFuseVar { value: text(Some(value)), hidden: false });
    };
    let hidden = fields.get("hidden") == Some(&Value::Bool(true));
    let value = match fields.get("$").and_then(Value::as_str).filter(|_| hidden) {
        Some(sealed) => {
            decrypt_text(sealed, secret).map_err(|reason| FlowFuseError::Env { name: name.to_owned(), reason })?
        }
        None => text(fields.get("value")),
    };
    Ok(FlowFuseVar { value, hidden })
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

pub(super) fn write(env: &BTreeMap<String, FlowFuseVar>, secret: &str) -> Map<String, Value> {
    let ours = env.iter().filter(|(name, _)| !name.starts_with(PLATFORM));
    let written = |var: &FlowFuseVar| match var.hidden {
        true => json!({"hidden": true, "$": encrypt_text(&var.value, secret)}),
        false => Value::from(var.value.as_str()),
    };
    ours.map(|(name, var)| (name.clone(), written(var))).collect()
}
