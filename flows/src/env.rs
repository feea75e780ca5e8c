//! `${NAME}` in a node's fields.
//!
//! Source: `mapEnvVarProperties` of Node-RED's `flows/util.js`.

use serde_json::{Map, Value};

/// Fields that Node-RED leaves alone.
const UNTOUCHED: [&str; 4] = ["wires", "env", "info", "type"];

/// Fills `${NAME}` in. A field that is `${NAME}` and nothing else takes the variable's own type; a name that is not defined stays
/// as it is. Inside other text nothing is filled in, as in Node-RED.
///
/// ```
/// use flotilla_flows::substitute_env;
/// use serde_json::json;
///
/// let node = json!({"port": "${PORT}", "topic": "plant/${LINE}", "host": "${HOST}", "type": "${PORT}"});
/// let lookup = |name: &str| match name {
///     "PORT" => Some(json!(1883)),
///     "LINE" => Some(json!("one")),
///     _ => None,
/// };
/// let filled = substitute_env(node.as_object().unwrap(), &lookup);
/// let wanted = json!({"port": 1883, "topic": "plant/${LINE}", "host": "${HOST}", "type": "${PORT}"});
/// assert_eq!(serde_json::Value::from(filled), wanted);
/// ```
pub fn substitute_env(props: &Map<String, Value>, lookup: &dyn Fn(&str) -> Option<Value>) -> Map<String, Value> {
    props
        .iter()
        .map(|(key, value)| {
            let kept = UNTOUCHED.contains(&key.as_str());
            (key.clone(), if kept { value.clone() } else { fill(value, lookup) })
        })
        .collect()
}

/// True when a field is `${NAME}`, so that [`substitute_env`] may change it. Few nodes have one: the fields of the others can be
/// shared with the document.
///
/// ```
/// use flotilla_flows::names_env;
/// use serde_json::json;
///
/// let names = |node: serde_json::Value| names_env(node.as_object().unwrap());
/// assert!(names(json!({"rules": [{"to": "${PORT}"}]})));
/// assert!(!names(json!({"func": "return `${a}`;", "info": "${PORT}", "wires": [["${PORT}"]]})));
/// ```
pub fn names_env(props: &Map<String, Value>) -> bool {
    fn is_name(value: &Value) -> bool {
        match value {
            Value::String(text) => text.starts_with("${") && text.ends_with('}'),
            Value::Array(items) => items.iter().any(is_name),
            Value::Object(map) => map.values().any(is_name),
            _ => false,
        }
    }
    props.iter().any(|(key, value)| !UNTOUCHED.contains(&key.as_str()) && is_name(value))
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
