//! What the host is told: one JSON object per line on stdin.

use serde_json::{Map, Value as Json};

use flotilla_value::Value;

use super::codec::decode;

/// One line of input.
pub(super) struct Op {
    /// The operation, for example `load`.
    pub(super) name: String,
    /// Set when an answer is wanted.
    pub(super) id: Option<Json>,
    fields: Map<String, Json>,
}

impl Op {
    /// Reads a line.
    ///
    /// # Errors
    /// When it is not a JSON object with `op`.
    pub(super) fn parse(line: &[u8]) -> Result<Op, String> {
        let fields = match serde_json::from_slice(line) {
            Ok(Json::Object(fields)) => fields,
            Ok(_) => return Err("a line must be a JSON object".to_owned()),
            Err(error) => return Err(format!("not a line of JSON: {error}")),
        };
        let name = fields.get("op").and_then(Json::as_str).ok_or("a line without \"op\"")?.to_owned();
        Ok(Op { name, id: fields.get("id").cloned(), fields })
    }

    /// A text field, or empty.
    pub(super) fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Json::as_str).unwrap_or_default()
    }

    /// A field as it stands.
    pub(super) fn json(&self, key: &str) -> Option<&Json> {
        self.fields.get(key)
    }

    /// A flag.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.fields.get(key).and_then(Json::as_bool).unwrap_or(false)
    }

    /// A tagged value; `Undefined` when absent.
    pub(super) fn value(&self, key: &str) -> Value {
        self.fields.get(key).map(decode).unwrap_or_default()
    }

    /// The strings of an array.
    pub(super) fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.fields.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
    }

    /// The entries of an object.
    pub(super) fn map(&self, key: &str) -> impl Iterator<Item = (&String, &Json)> {
        self.fields.get(key).and_then(Json::as_object).into_iter().flatten()
    }
}
