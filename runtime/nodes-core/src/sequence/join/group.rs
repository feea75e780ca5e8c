//! The parts of one group so far, and what becomes of them.

use std::collections::BTreeMap;

use flotilla_engine::message::Msg;
use flotilla_value::{Object, Value};

use super::config::Build;

/// An array with more holes than this at one stretch is closed up instead of filling memory.
const MAX_HOLES: usize = 100_000;

/// The parts of one group so far.
pub(super) struct Group {
    pub(super) build: Build,
    /// How many parts complete it; 0 is unknown.
    pub(super) target: f64,
    /// The property that the result goes to.
    pub(super) property: String,
    /// The properties of all messages, later ones over earlier ones: the result's message.
    pub(super) merged: Object,
    /// The messages themselves, which keep their deliveries open.
    pub(super) msgs: Vec<Msg>,
    /// Tells the time-out of this group from those of earlier ones.
    pub(super) turn: u64,
    joiner: Value,
    /// Arrays were split into chunks of this many.
    chunk: f64,
    list: BTreeMap<usize, Value>,
    object: Object,
}

impl Group {
    /// An empty group.
    pub(super) fn new(build: Build, target: f64, property: String, joiner: Value, chunk: f64, turn: u64) -> Group {
        let (merged, msgs, list, object) = (Object::new(), Vec::new(), BTreeMap::new(), Object::new());
        Group { build, target, property, merged, msgs, turn, joiner, chunk, list, object }
    }

    /// Adds a part under its place or, without one, at the end.
    pub(super) fn add(&mut self, value: Value, index: Option<usize>) {
        match index {
            Some(index) => {
                self.list.insert(index, value);
            }
            None if value.is_undefined() => {}
            None => {
                let next = self.list.last_key_value().map_or(0, |(last, _)| last + 1);
                self.list.insert(next, value);
            }
        }
    }

    /// Sets a property of the object.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        self.object.insert(key, value);
    }

    /// Adds the properties of a part.
    pub(super) fn merge(&mut self, part: &Object) {
        for (key, value) in part.iter().filter(|(key, _)| *key != "_msgid") {
            self.object.insert(key.clone(), value.clone());
        }
    }

    /// True when nothing more is waited for.
    pub(super) fn is_complete(&self) -> bool {
        let count = match self.build {
            Build::Object | Build::Merged => self.object.len(),
            _ => self.list.values().filter(|value| !value.is_nullish()).count().max(self.list.len()),
        };
        self.target > 0.0 && count as f64 >= self.target
    }

    /// What the parts make.
    pub(super) fn result(&self) -> Value {
        match self.build {
            Build::Object | Build::Merged => Value::from(self.object.clone()),
            Build::Array => {
                let items = self.items();
                if self.chunk > 1.0 {
                    let flat = items.into_iter().flat_map(|item| match item {
                        Value::Array(items) => items.to_vec(),
                        other => vec![other],
                    });
                    Value::array(flat.collect())
                } else {
                    Value::array(items)
                }
            }
            Build::String => {
                let joiner = String::from_utf8_lossy(&joiner_bytes(&self.joiner)).into_owned();
                let texts: Vec<String> = self
                    .items()
                    .iter()
                    .map(|item| if item.is_nullish() { String::new() } else { item.to_text().to_string() })
                    .collect();
                Value::from(texts.join(&joiner))
            }
            Build::Buffer => {
                let pieces: Vec<Vec<u8>> = self.items().iter().map(bytes_of).collect();
                Value::Buffer(pieces.join(&joiner_bytes(&self.joiner)[..]).into())
            }
        }
    }

    fn items(&self) -> Vec<Value> {
        let mut items = Vec::with_capacity(self.list.len());
        for (at, value) in &self.list {
            if at.saturating_sub(items.len()) <= MAX_HOLES {
                items.resize((*at).max(items.len()), Value::Undefined);
            }
            items.push(value.clone());
        }
        items
    }
}

/// What stands between parts: a text, or a list of bytes as the split node leaves it.
fn joiner_bytes(joiner: &Value) -> Vec<u8> {
    if joiner.is_nullish() { Vec::new() } else { bytes_of(joiner) }
}

/// `Buffer.from(value)`
fn bytes_of(value: &Value) -> Vec<u8> {
    match value {
        Value::Buffer(bytes) => bytes.to_vec(),
        Value::Array(numbers) => numbers.iter().map(|number| number.to_number() as i64 as u8).collect(),
        Value::Undefined | Value::Null => Vec::new(),
        other => other.to_text().as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(build: Build, joiner: Value, parts: &[(Option<usize>, &str)]) -> Value {
        let mut group = Group::new(build, 0.0, "payload".into(), joiner, 1.0, 0);
        for (index, text) in parts {
            group.add(Value::from(*text), *index);
        }
        group.result()
    }

    #[test]
    fn parts_come_together() {
        let parts = [(Some(2), "c"), (Some(0), "a")];
        assert_eq!(group(Build::String, Value::from("-"), &parts), Value::from("a--c"));
        assert_eq!(
            group(Build::Buffer, Value::array(vec![Value::Number(10.0)]), &[(None, "a"), (None, "b")]),
            Value::Buffer("a\nb".into())
        );
        assert_eq!(
            group(Build::Array, Value::Undefined, &parts),
            Value::array(vec!["a".into(), Value::Undefined, "c".into()])
        );
        assert_eq!(group(Build::Array, Value::Undefined, &[(Some(usize::MAX), "z")]), Value::array(vec!["z".into()]));
    }
}
