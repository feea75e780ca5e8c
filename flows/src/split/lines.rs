//! Texts of several lines as lists of lines, so that a diff shows the lines of a function that changed.

use serde_json::{Map, Value};

/// Ends the name of a field whose lines are listed.
const LINES: &str = "#lines";
/// Ends the name of a field whose own name ends as the ones that are made here.
const RAW: &str = "#raw";

/// The fields as they are written.
pub(super) fn listed(fields: &Map<String, Value>) -> Map<String, Value> {
    fields.iter().map(|(name, value)| write(name, value)).collect()
}

fn write(name: &str, value: &Value) -> (String, Value) {
    if name.ends_with(LINES) || name.ends_with(RAW) {
        return (format!("{name}{RAW}"), value.clone());
    }
    match value {
        Value::String(text) if text.contains('\n') => {
            (format!("{name}{LINES}"), text.split('\n').map(Value::from).collect())
        }
        _ => (name.to_owned(), value.clone()),
    }
}

/// The fields as they were. A list that holds something else than texts stays as it is.
pub(super) fn joined(fields: Map<String, Value>) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| read(name, value)).collect()
}

fn read(name: String, value: Value) -> (String, Value) {
    if let Some(name) = name.strip_suffix(RAW) {
        return (name.to_owned(), value);
    }
    let lines = |name: &str| {
        let lines: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
        Some((name.to_owned(), Value::from(lines?.join("\n"))))
    };
    name.strip_suffix(LINES).and_then(lines).unwrap_or((name, value))
}
