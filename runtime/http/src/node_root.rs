//! Node-RED's `httpNodeRoot`: what the paths of HTTP nodes begin with.

use serde_json::{Map, Value};

/// The root with a slash at its beginning and none at its end, empty for the top; `None` when it is `false`: HTTP nodes are
/// switched off.
pub fn node_root(settings: &Map<String, Value>) -> Option<String> {
    match settings.get("httpNodeRoot") {
        Some(Value::Bool(false)) => None,
        Some(Value::String(root)) => {
            let trimmed = root.trim_matches('/');
            Some(if trimmed.is_empty() { String::new() } else { format!("/{trimmed}") })
        }
        _ => Some(String::new()),
    }
}
