//! What flows wrote onto `msg.req` or `msg.res`: Express's objects are open, and middleware in flows leaves things there.

use parking_lot::Mutex;

use flotilla_value::{Object, Str, Value};

/// Properties that flows set, all nodes of the request together. Nothing is allocated until the first of them.
#[derive(Default)]
pub(super) struct Written(Mutex<Option<Box<Object>>>);

impl Written {
    /// What was written under this name; `Undefined` stands for a property that was removed.
    pub(super) fn get(&self, name: &str) -> Option<Value> {
        self.0.lock().as_ref()?.get(name).cloned()
    }

    /// Keeps a property.
    ///
    /// # Errors
    /// When the value holds a request or a response: the two would keep each other alive for ever.
    pub(super) fn set(&self, name: &str, value: Value) -> Result<(), String> {
        if holds_host(&value) {
            return Err(format!(
                "\"{name}\" cannot be set: what is set on msg.req or msg.res may not hold msg.req or msg.res"
            ));
        }
        self.0.lock().get_or_insert_default().insert(name, value);
        Ok(())
    }

    /// Adds and removes names of a list as flows did.
    pub(super) fn rename(&self, keys: &mut Vec<Str>) {
        let written = self.0.lock();
        for (name, value) in written.iter().flat_map(|written| written.iter()) {
            let at = keys.iter().position(|key| key == name);
            match (at, value) {
                (Some(at), Value::Undefined) => {
                    keys.remove(at);
                }
                (None, Value::Undefined) | (Some(_), _) => {}
                (None, _) => keys.push(name.clone()),
            }
        }
    }
}

fn holds_host(value: &Value) -> bool {
    match value {
        Value::Host(_) => true,
        Value::Object(object) => object.values().any(holds_host),
        Value::Array(items) | Value::Set(items) => items.iter().any(holds_host),
        Value::Map(pairs) => pairs.iter().any(|(key, value)| holds_host(key) || holds_host(value)),
        Value::Error(error) => error.props.values().any(holds_host),
        _ => false,
    }
}
