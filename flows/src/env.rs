//! `${NAME}` in a node's fields.
//!
//! Source: `mapEnvVarProperties` of Node-RED's `flows/util.js`.

use serde_json::{Map, Value};

/// Fields that Node-RED leaves alone.
const UNTOUCHED: [&str; 4] = ["wires", "env", "info", "type"];

/// Fills `${NAME}` in. A field that is `${NAME}` and nothing else takes the variable's own type; inside other text the
/// variable is printed, and what is not defined is empty there. A whole-field name that is not defined stays as it is.
pub fn substitute_env(props: &Map<String, Value>, lookup: &dyn Fn(&str) -> Option<Value>) -> Map<String, Value> {
    props
        .iter()
        .map(|(key, value)| {
            let kept = UNTOUCHED.contains(&key.as_str());
            (key.clone(), if kept { value.clone() } else { fill(value, lookup) })
        })
        .collect()
}

fn fill(value: &Value, lookup: &dyn Fn(&str) -> Option<Value>) -> Value {
    match value {
        Value::String(text) if text.contains("${") => fill_text(text, lookup),
        Value::Array(items) => Value::Array(items.iter().map(|item| fill(item, lookup)).collect()),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), fill(value, lookup))).collect())
        }
        other => other.clone(),
    }
}

fn fill_text(text: &str, lookup: &dyn Fn(&str) -> Option<Value>) -> Value {
    // Only names between braces count: template literals in function bodies (`${a + b}`) are not variables.
    let Some(name) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        return Value::String(text.to_owned());
    };
    if name.is_empty() || name.chars().any(|c| c.is_whitespace() || matches!(c, '{' | '}')) {
        return Value::String(text.to_owned());
    }
    lookup(name).unwrap_or_else(|| Value::String(text.to_owned()))
}
