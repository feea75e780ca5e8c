//! A message: an object value and the delivery it belongs to.

use std::sync::{Arc, LazyLock};

use flotilla_value::{Object, Path, PathError, PathPart, Str, Value};

use super::delivery::Delivery;
use super::id::generate_id;

/// What stands in for a message's object while that is changed: no allocation.
static EMPTY: LazyLock<Arc<Object>> = LazyLock::new(Arc::default);

/// A message on its way. Cloning is O(1): the value is copy-on-write and the delivery is shared, so every clone
/// keeps the delivery open until it is dropped.
#[derive(Clone, Debug, Default)]
pub struct Msg {
    value: Arc<Object>,
    delivery: Option<Arc<Delivery>>,
}

impl Msg {
    /// A message with these properties, outside any delivery.
    pub fn new(properties: Object) -> Msg {
        Msg { value: Arc::new(properties), delivery: None }
    }

    /// A message from a value; what is not an object becomes the payload.
    pub fn from_value(value: Value, delivery: Option<Arc<Delivery>>) -> Msg {
        match value {
            Value::Object(value) => Msg { value, delivery },
            other => Msg { value: Arc::new([("payload", other)].into_iter().collect()), delivery },
        }
    }

    /// The same message as part of a delivery.
    pub fn in_delivery(mut self, delivery: Option<Arc<Delivery>>) -> Msg {
        self.delivery = delivery;
        self
    }

    /// Another value in the same delivery.
    pub fn with_value(&self, value: Value) -> Msg {
        Msg::from_value(value, self.delivery.clone())
    }

    /// Another object in the same delivery.
    pub fn with_object(&self, object: Object) -> Msg {
        Msg { value: Arc::new(object), delivery: self.delivery.clone() }
    }

    /// The delivery, if the message came from outside.
    pub fn delivery(&self) -> Option<&Arc<Delivery>> {
        self.delivery.as_ref()
    }

    /// The properties.
    pub fn object(&self) -> &Object {
        &self.value
    }

    /// The properties for writing: unshared first.
    pub fn object_mut(&mut self) -> &mut Object {
        Arc::make_mut(&mut self.value)
    }

    /// The whole message as a value, O(1).
    pub fn value(&self) -> Value {
        Value::Object(self.value.clone())
    }

    /// A top-level property; `Undefined` when absent.
    pub fn get(&self, key: &str) -> Value {
        self.value.get(key).cloned().unwrap_or_default()
    }

    /// A borrowed top-level property.
    pub fn get_ref(&self, key: &str) -> Option<&Value> {
        self.value.get(key)
    }

    /// True when the property exists.
    pub fn has(&self, key: &str) -> bool {
        self.value.contains_key(key)
    }

    /// Sets a top-level property.
    pub fn set(&mut self, key: impl Into<Str>, value: impl Into<Value>) {
        self.object_mut().insert(key, value);
    }

    /// Removes a top-level property.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        if self.has(key) { self.object_mut().remove(key) } else { None }
    }

    /// Reads a property path.
    pub fn get_path(&self, path: &Path) -> Result<Value, PathError> {
        path.get(&self.value())
    }

    /// Sets a property path; see [`Path::set`].
    pub fn set_path(&mut self, path: &Path, value: Value, create: bool) -> Result<bool, PathError> {
        // Most paths are one name: then neither steps nor message are copied.
        if let [PathPart::Key(key)] = path.parts() {
            if value.is_undefined() {
                self.remove(key);
            } else {
                self.set(key.clone(), value);
            }
            return Ok(true);
        }
        // Its own object, held by nobody else meanwhile, is changed in place.
        let mut root = Value::Object(std::mem::replace(&mut self.value, EMPTY.clone()));
        let done = path.set(&mut root, value, create);
        if let Value::Object(object) = root {
            self.value = object;
        }
        done
    }

    /// `_msgid`, or empty.
    pub fn id(&self) -> Str {
        match self.value.get("_msgid") {
            Some(Value::String(id)) => id.clone(),
            _ => Str::default(),
        }
    }

    /// Gives the message an id when it has none, as Node-RED does when it is sent or received.
    pub fn ensure_id(&mut self) {
        if !self.value.get("_msgid").is_some_and(Value::truthy) {
            self.set("_msgid", generate_id());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_name_sets_what_any_path_sets() {
        let value = flotilla_value::parse_json(br#"{"payload":[1,2],"7":"x","topic":"payload","a":{"b":1}}"#).unwrap();
        for text in ["payload", "new", "topic", "a.b", "a.c", "payload[1]", "none.x", "a[msg.topic]"] {
            let path = Path::parse(text).unwrap();
            for (new, create) in [(Value::from("n"), true), (Value::Undefined, false), (Value::Null, false)] {
                let (mut by_path, mut msg) = (value.clone(), Msg::from_value(value.clone(), None));
                let done = path.set(&mut by_path, new.clone(), create);
                assert_eq!(msg.set_path(&path, new.clone(), create), done, "{text} {new:?}");
                assert_eq!(msg.value(), by_path, "{text} {new:?}");
            }
        }
    }
}
