//! The memory store: local to this replica, gone with it.

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use flotilla_value::{Path, Str, Value};

use super::error::ContextError;
use super::scope::ScopeKey;
use super::store::ContextStore;

/// Keeps context in this process.
#[derive(Default)]
pub struct MemoryStore {
    scopes: Mutex<FxHashMap<ScopeKey, Value>>,
}

impl MemoryStore {
    fn with<R>(&self, scope: &ScopeKey, f: impl FnOnce(&mut Value) -> R) -> R {
        f(self.scopes.lock().entry(scope.clone()).or_insert_with(Value::object))
    }
}

/// A read through a missing parent is undefined here, not an error: Node-RED's memory store.
fn read(root: &Value, path: &Path) -> Value {
    path.get_in(root, None).unwrap_or_default()
}

impl ContextStore for MemoryStore {
    fn get(&self, scope: &ScopeKey, path: &Path) -> Result<Value, ContextError> {
        Ok(self.scopes.lock().get(scope).map(|root| read(root, path)).unwrap_or_default())
    }

    fn set(&self, scope: &ScopeKey, path: &Path, value: Value) -> Result<(), ContextError> {
        self.with(scope, |root| path.set_in(root, value, true, None))?;
        Ok(())
    }

    fn keys(&self, scope: &ScopeKey) -> Result<Vec<Str>, ContextError> {
        let scopes = self.scopes.lock();
        let root = scopes.get(scope).and_then(Value::as_object);
        Ok(root.map(|object| object.keys().cloned().collect()).unwrap_or_default())
    }

    fn incr(&self, scope: &ScopeKey, path: &Path, by: f64) -> Result<f64, ContextError> {
        self.with(scope, |root| {
            let sum = match read(root, path) {
                Value::Undefined | Value::Null => by,
                Value::Number(number) => number + by,
                other => {
                    return Err(ContextError::Refused(format!("incr of \"{path}\": it holds {other:?}, not a number")));
                }
            };
            path.set_in(root, Value::Number(sum), true, None)?;
            Ok(sum)
        })
    }

    fn cas(&self, scope: &ScopeKey, path: &Path, expected: &Value, value: Value) -> Result<bool, ContextError> {
        self.with(scope, |root| {
            if read(root, path) != *expected {
                return Ok(false);
            }
            path.set_in(root, value, true, None)?;
            Ok(true)
        })
    }

    fn delete(&self, scope: &ScopeKey) -> Result<(), ContextError> {
        self.scopes.lock().remove(scope);
        Ok(())
    }

    fn clean(&self, is_live: &dyn Fn(&ScopeKey) -> bool) -> Result<(), ContextError> {
        self.scopes.lock().retain(|scope, _| is_live(scope));
        Ok(())
    }
}
