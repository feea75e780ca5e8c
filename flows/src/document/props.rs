//! The fields of an entry.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde_json::{Map, Value};

/// The fields of an entry as they stand in the document. A copy shares them until it is changed: an entry is copied into the
/// graph and from there into the node, and a large document need not be in memory three times.
#[derive(Clone, PartialEq)]
pub struct Props(Arc<Map<String, Value>>);

impl Props {
    /// The fields by themselves; copied if others share them.
    pub fn into_map(self) -> Map<String, Value> {
        Arc::unwrap_or_clone(self.0)
    }

    /// Gives back the room that the fields have to grow: a parser leaves up to half of it unused.
    pub(super) fn tighten(&mut self) {
        let fields = std::mem::replace(self, Props::from(Map::new())).into_map();
        *self = Props::from(tight(fields));
    }
}

/// The same fields in no more room than they need.
fn tight(fields: Map<String, Value>) -> Map<String, Value> {
    // What is collected from a list of known length gets that much room.
    fields.into_iter().map(|(key, value)| (key, tight_value(value))).collect()
}

fn tight_value(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(tight_value).collect();
            items.shrink_to_fit();
            Value::Array(items)
        }
        Value::Object(fields) => Value::Object(tight(fields)),
        other => other,
    }
}

impl From<Map<String, Value>> for Props {
    fn from(fields: Map<String, Value>) -> Props {
        Props(Arc::new(fields))
    }
}

impl Deref for Props {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl DerefMut for Props {
    fn deref_mut(&mut self) -> &mut Map<String, Value> {
        Arc::make_mut(&mut self.0)
    }
}

impl fmt::Debug for Props {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_shares_its_fields_until_it_is_changed() {
        let first = Props::from(Map::from_iter([("a".to_owned(), Value::from(1))]));
        let mut second = first.clone();
        assert!(Arc::ptr_eq(&first.0, &second.0));
        second.insert("a".to_owned(), Value::from(2));
        assert_eq!((first["a"].as_u64(), second["a"].as_u64()), (Some(1), Some(2)));
        assert_eq!(second.into_map().len(), 1);
    }

    #[test]
    fn tight_fields_are_the_same_in_no_more_room_than_they_need() {
        let text = r#"{"id":"a","z":"","wires":[["b"],["c","d"],[]],"rules":[{"t":"set","p":"x","to":null,"n":1.50}],"b":false}"#;
        let parsed: Map<String, Value> = serde_json::from_str(text).unwrap();
        let mut props = Props::from(parsed);
        let shared = props.clone();
        props.tighten();
        assert_eq!(Value::Object(props.clone().into_map()).to_string(), Value::Object(shared.into_map()).to_string());
        let room = |value: &Value| value.as_array().map(|items| (items.len(), items.capacity()));
        assert_eq!(room(&props["wires"]), Some((3, 3)));
        assert_eq!(room(&props["wires"][0]), Some((1, 1)));
        assert_eq!(room(&props["wires"][2]), Some((0, 0)));
        assert_eq!(room(&props["rules"]), Some((1, 1)));
    }
}
