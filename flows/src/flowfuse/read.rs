//! Reading a snapshot.

use serde_json::{Map, Value};

use super::env;
use super::snapshot::{FlowFuseError, FlowFuseSnapshot};
use crate::credentials::{NodeCredentials, read_credentials};

/// True for a snapshot, rather than a flow document.
pub fn is_flowfuse(value: &Value) -> bool {
    value.pointer("/flows/flows").is_some_and(Value::is_array) && value.get("settings").is_some_and(Value::is_object)
}

impl FlowFuseSnapshot {
    /// Reads a snapshot. `secret` is the one that it was exported with.
    ///
    /// # Errors
    /// [`FlowFuseError`]: what FlowFuse's import would refuse, and a secret that is missing or does not fit.
    pub fn read(file: &Value, secret: Option<&str>) -> Result<FlowFuseSnapshot, FlowFuseError> {
        let shape = FlowFuseError::Shape;
        let name = file.get("name").and_then(Value::as_str).ok_or(shape("it has no \"name\""))?;
        let flows = file.pointer("/flows/flows").filter(|flows| flows.is_array());
        let flows = flows.ok_or(shape("it has no array \"flows.flows\""))?;
        let settings = file.get("settings").and_then(Value::as_object).ok_or(shape("it has no object \"settings\""))?;
        let credentials = match file.pointer("/flows/credentials") {
            Some(found @ Value::Object(fields)) if !fields.is_empty() => read_credentials(found, secret)?,
            _ => NodeCredentials::new(),
        };
        let object = |field: &str| match settings.get(field) {
            Some(Value::Object(fields)) => fields.clone(),
            _ => Map::new(),
        };
        let text = |field: &str| file.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let version = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Ok(FlowFuseSnapshot {
            id: text("id"),
            name: name.to_owned(),
            description: text("description"),
            created_at: text("createdAt"),
            user: file.pointer("/user/username").and_then(Value::as_str).unwrap_or_default().to_owned(),
            flows: flows.clone(),
            credentials,
            env: env::read(&object("env"), secret)?,
            modules: object("modules").into_iter().map(|(name, value)| (name, version(value))).collect(),
            settings: object("settings"),
        })
    }
}
