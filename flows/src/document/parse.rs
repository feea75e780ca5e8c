//! Reading a flow document.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::node_config::{NodeConfig, text_of};

/// Why a text is not a flow document.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseError {
    /// Not JSON.
    #[error("line {line}, column {column}: not valid JSON: {reason}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser met.
        reason: String,
    },
    /// JSON, but not what the editor exports.
    #[error("this is not a Node-RED export: expected an array of nodes or an object with \"flows\", found {0}")]
    Shape(&'static str),
    /// An entry is not a node.
    #[error("entry {index} of the flow document: {reason}")]
    Entry {
        /// From 0.
        index: usize,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// A flow document, as exported: entries in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    entries: Vec<NodeConfig>,
    by_id: HashMap<String, usize>,
    /// Credentials that stand in the document itself (the admin API's `credentials`).
    pub credentials: Map<String, Value>,
}

impl Document {
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut NodeConfig> {
        self.entries.get_mut(*self.by_id.get(id)?)
    }

    /// Reads an export: an array of entries, or `{flows, credentials?, rev?}` as the admin API gives it.
    ///
    /// ```
    /// use flotilla_flows::Document;
    ///
    /// let document = Document::parse(r#"[{"id":"t","type":"tab","label":"Line 1"}]"#).unwrap();
    /// assert_eq!(document.entries()[0].id, "t");
    /// let error = Document::parse("[\n {\"id\": }\n]").unwrap_err().to_string();
    /// assert!(error.contains("line 2"), "{error}");
    /// ```
    pub fn parse(text: &str) -> Result<Document, ParseError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value = serde_json::from_str(text).map_err(|error| ParseError::Json {
            line: error.line(),
            column: error.column(),
            reason: error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
        })?;
        Document::from_value(value)
    }

    /// Whether [`Document::from_value`] takes this: without a copy of it.
    ///
    /// # Errors
    /// What [`Document::from_value`] would say.
    pub fn check(value: &Value) -> Result<(), ParseError> {
        let flows = match value {
            Value::Array(entries) => entries,
            Value::Object(object) => match object.get("flows") {
                Some(Value::Array(entries)) => entries,
                _ => return Err(NO_FLOWS),
            },
            other => return Err(ParseError::Shape(shape_of(other))),
        };
        for (index, entry) in flows.iter().enumerate() {
            let Value::Object(props) = entry else { return Err(no_object(index)) };
            check_entry(index, &text_of(props, "id"), &text_of(props, "type"))?;
        }
        Ok(())
    }

    /// Looks at JSON as at a document, and leaves it as it is. A large one is not copied for it, unless the document would lose
    /// something of it.
    ///
    /// # Errors
    /// As [`Document::from_value`].
    pub fn look<R>(value: &mut Value, look: impl FnOnce(&Document) -> R) -> Result<R, ParseError> {
        Document::check(value)?;
        if !is_kept_whole(value) {
            return Document::from_value(value.clone()).map(|document| look(&document));
        }
        let document = Document::from_value(value.take())?;
        let found = look(&document);
        let entries = document.entries.into_iter().map(|entry| Value::Object(entry.props.into_map()));
        *value = Value::Array(entries.collect());
        Ok(found)
    }

    /// As [`Document::parse`] from parsed JSON.
    pub fn from_value(value: Value) -> Result<Document, ParseError> {
        let (flows, credentials) = match value {
            Value::Array(entries) => (entries, Map::new()),
            Value::Object(mut object) => {
                let credentials = match object.remove("credentials") {
                    Some(Value::Object(credentials)) => credentials,
                    _ => Map::new(),
                };
                match object.remove("flows") {
                    Some(Value::Array(entries)) => (entries, credentials),
                    _ => return Err(NO_FLOWS),
                }
            }
            other => return Err(ParseError::Shape(shape_of(&other))),
        };
        let mut document = Document {
            entries: Vec::with_capacity(flows.len()),
            by_id: HashMap::with_capacity(flows.len()),
            credentials,
        };
        for (index, entry) in flows.into_iter().enumerate() {
            let Value::Object(mut props) = entry else { return Err(no_object(index)) };
            let inline = props.remove("credentials");
            let node = NodeConfig::from_props(props);
            check_entry(index, &node.id, &node.kind)?;
            if let Some(credentials @ Value::Object(_)) = inline {
                document.credentials.entry(node.id.clone()).or_insert(credentials);
            }
            // Node-RED: of two entries with one id the last counts.
            if let Some(at) = document.by_id.get(&node.id) {
                document.entries[*at] = node;
            } else {
                document.by_id.insert(node.id.clone(), document.entries.len());
                document.entries.push(node);
            }
        }
        Ok(document)
    }

    /// Gives back the room that its entries have to grow, for a document whose nodes will run: they keep their fields.
    pub fn tighten(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.props.tighten());
    }

    /// The entries in their order.
    pub fn entries(&self) -> &[NodeConfig] {
        &self.entries
    }

    /// An entry by id.
    pub fn get(&self, id: &str) -> Option<&NodeConfig> {
        self.by_id.get(id).map(|at| &self.entries[*at])
    }

    /// The entries as JSON, without credentials.
    pub fn to_value(&self) -> Value {
        Value::Array(self.entries.iter().map(|entry| Value::Object(entry.props.clone().into_map())).collect())
    }
}

const NO_FLOWS: ParseError = ParseError::Shape("an object without an array \"flows\"");

/// True when a document has all that is in the JSON: nothing stands beside the entries, no credentials are in them, and none
/// takes the place of another.
fn is_kept_whole(value: &Value) -> bool {
    let Value::Array(entries) = value else { return false };
    let mut ids = HashSet::with_capacity(entries.len());
    let mut entries = entries.iter().filter_map(Value::as_object);
    entries.all(|props| !props.contains_key("credentials") && ids.insert(text_of(props, "id")))
}

/// What JSON that is no document is.
fn shape_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn no_object(index: usize) -> ParseError {
    ParseError::Entry { index, reason: "is not an object; export the flow again".to_owned() }
}

fn check_entry(index: usize, id: &str, kind: &str) -> Result<(), ParseError> {
    let reason = match (id, kind) {
        ("", _) => "has no \"id\"; export the flow again".to_owned(),
        (id, "") => format!("(id {id}) has no \"type\"; export the flow again"),
        _ => return Ok(()),
    };
    Err(ParseError::Entry { index, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_where() {
        assert!(matches!(Document::parse("[\n  {]"), Err(ParseError::Json { line: 2, .. })));
        assert_eq!(Document::parse("3"), Err(ParseError::Shape("a number")));
        let error = Document::parse(r#"[{"id":"a"}]"#).unwrap_err().to_string();
        assert!(error.contains("entry 0") && error.contains("id a") && error.contains("\"type\""), "{error}");
    }

    #[test]
    fn a_check_says_what_reading_would() {
        for text in [
            r#"[{"id":"a","type":"inject"}]"#,
            r#"{"flows":[{"id":7,"type":"inject"}],"rev":"1"}"#,
            r#"[{"id":"a","type":"inject"},{"id":"","type":"inject"}]"#,
            r#"[{"id":"a"},{"type":"inject"}]"#,
            r#"[{"id":true,"type":"inject"}]"#,
            "[7]",
            r#"{"flows":{}}"#,
            "{}",
            r#"{"flows":[null]}"#,
            "3",
            "\"flows\"",
            "null",
            "true",
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(Document::check(&value), Document::from_value(value).map(|_| ()), "{text}");
        }
    }

    #[test]
    fn what_is_looked_at_stays_as_it_is() {
        for text in [
            r#"[{"id":"a","type":"inject","x":1.0},{"type":"debug","z":"","id":"b","n":null,"wires":[["a"]]}]"#,
            r#"[{"id":"a","type":"inject"},{"id":"a","type":"debug"}]"#,
            r#"[{"id":"a","credentials":null,"type":"inject","n":1}]"#,
            r#"[{"id":"a","credentials":{"user":"u"},"type":"inject","n":1}]"#,
            r#"{"flows":[{"id":"a","type":"inject"}],"rev":"1"}"#,
        ] {
            let mut value: Value = serde_json::from_str(text).unwrap();
            let seen = Document::look(&mut value, Document::clone).unwrap();
            assert_eq!(value.to_string(), text);
            assert_eq!(seen, Document::from_value(value).unwrap());
        }
        let mut bad = serde_json::json!([{"id": "a"}]);
        assert!(Document::look(&mut bad, |_| ()).is_err());
        assert_eq!(bad.to_string(), r#"[{"id":"a"}]"#);
    }

    #[test]
    fn both_shapes_are_read() {
        let array = Document::parse(r#"[{"id":"a","type":"inject"}]"#).unwrap();
        let object = Document::parse(r#"{"flows":[{"id":"a","type":"inject"}],"rev":"1"}"#).unwrap();
        assert_eq!(array, object);
    }
}
