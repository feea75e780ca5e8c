//! The stores by name, and one scope's view of them.

use std::sync::Arc;

use arc_swap::ArcSwap;

use flotilla_value::{Path, Str, Value};

use super::error::ContextError;
use super::memory::MemoryStore;
use super::scope::ScopeKey;
use super::store::ContextStore;

/// The context stores of a replica.
pub struct Contexts {
    stores: ArcSwap<Stores>,
}

struct Stores {
    default: Arc<dyn ContextStore>,
    default_name: Str,
    named: Vec<(Str, Arc<dyn ContextStore>)>,
}

/// One scope's context, in every store. What `flow`, `global` and `context` are in a function.
#[derive(Clone)]
pub struct ContextRef {
    contexts: Arc<Contexts>,
    scope: ScopeKey,
}

impl Default for Contexts {
    /// One store, `memory`, which is the default.
    fn default() -> Contexts {
        let memory: Arc<dyn ContextStore> = Arc::new(MemoryStore::default());
        Contexts::new(vec![(Str::new_static("memory"), memory.clone())], Str::new_static("memory"), memory)
    }
}

impl Contexts {
    /// Stores by name and the one that is meant when none is named.
    pub fn new(
        named: Vec<(Str, Arc<dyn ContextStore>)>,
        default_name: Str,
        default: Arc<dyn ContextStore>,
    ) -> Contexts {
        Contexts { stores: ArcSwap::from_pointee(Stores { default, default_name, named }) }
    }

    /// Adds or replaces a store.
    pub fn add(&self, name: &str, store: Arc<dyn ContextStore>) {
        self.stores.rcu(|old| {
            let mut named: Vec<_> = old.named.iter().filter(|(existing, _)| existing != name).cloned().collect();
            named.push((Str::new(name), store.clone()));
            let default = if old.default_name == name { store.clone() } else { old.default.clone() };
            Stores { default, default_name: old.default_name.clone(), named }
        });
    }

    /// Makes a store the one that is meant when none is named. False when there is none of this name.
    pub fn set_default(&self, name: &str) -> bool {
        let known = self.stores.load().named.iter().any(|(existing, _)| existing == name);
        if known {
            self.stores.rcu(|old| {
                let found = old.named.iter().find(|(existing, _)| existing == name);
                let default = found.map_or_else(|| old.default.clone(), |(_, store)| store.clone());
                Stores { default, default_name: Str::new(name), named: old.named.clone() }
            });
        }
        known
    }

    /// Replaces all stores, for example after a change of `contextStorage`.
    pub fn replace(&self, other: Contexts) {
        self.stores.store(other.stores.into_inner());
    }

    /// The names of the stores.
    pub fn names(&self) -> Vec<Str> {
        self.stores.load().named.iter().map(|(name, _)| name.clone()).collect()
    }

    /// A store by name; `None`, an empty name, `default` and unknown names give the default one, as in Node-RED.
    pub fn store(&self, name: Option<&str>) -> Arc<dyn ContextStore> {
        let stores = self.stores.load();
        let named = name.and_then(|name| stores.named.iter().find(|(existing, _)| existing == name));
        named.map_or_else(|| stores.default.clone(), |(_, store)| store.clone())
    }

    /// One scope's context.
    pub fn scope(self: &Arc<Self>, scope: ScopeKey) -> ContextRef {
        ContextRef { contexts: self.clone(), scope }
    }
}

impl ContextRef {
    /// Whose context this is.
    pub fn scope(&self) -> &ScopeKey {
        &self.scope
    }

    /// The store of this name: see [`Contexts::store`].
    pub fn store(&self, name: Option<&str>) -> Arc<dyn ContextStore> {
        self.contexts.store(name)
    }

    /// Reads a key (a property expression).
    pub fn get(&self, key: &str, store: Option<&str>) -> Result<Value, ContextError> {
        match parse(key) {
            Ok(path) => self.store(store).get(&self.scope, &path),
            Err(error) => self.unread(error, store),
        }
    }

    /// What a malformed key gives: nothing while the scope is empty, since Node-RED does not look at the key then.
    fn unread(&self, error: ContextError, store: Option<&str>) -> Result<Value, ContextError> {
        if matches!(error, ContextError::Key(_)) && !self.looks_at_keys(store)? {
            Ok(Value::Undefined)
        } else {
            Err(error)
        }
    }

    /// Whether Node-RED looks at the key that is read: where there is something. In the global context it always does, since it
    /// looks for the key in `functionGlobalContext` as well.
    pub fn looks_at_keys(&self, store: Option<&str>) -> Result<bool, ContextError> {
        Ok(self.scope == ScopeKey::global() || !self.keys(store)?.is_empty())
    }

    /// Sets a key; `Undefined` deletes it.
    pub fn set(&self, key: &str, value: Value, store: Option<&str>) -> Result<(), ContextError> {
        self.store(store).set(&self.scope, &parse(key)?, value)
    }

    /// Reads a key with the version that was seen: see [`ContextStore::get_seen`].
    pub fn get_seen(&self, key: &str, store: Option<&str>) -> Result<(Value, Option<u64>), ContextError> {
        match parse(key) {
            Ok(path) => self.store(store).get_seen(&self.scope, &path),
            Err(error) => Ok((self.unread(error, store)?, None)),
        }
    }

    /// Sets a key that was seen at a version: see [`ContextStore::set_after`].
    pub fn set_after(&self, key: &str, value: Value, store: Option<&str>, seen: u64) -> Result<bool, ContextError> {
        self.store(store).set_after(&self.scope, &parse(key)?, value, seen)
    }

    /// Top-level keys.
    pub fn keys(&self, store: Option<&str>) -> Result<Vec<Str>, ContextError> {
        self.store(store).keys(&self.scope)
    }

    /// Adds to a number, atomically; answers the new one.
    pub fn incr(&self, key: &str, by: f64, store: Option<&str>) -> Result<f64, ContextError> {
        self.store(store).incr(&self.scope, &parse(key)?, by)
    }

    /// Sets a key if it equals `expected`, atomically.
    pub fn cas(&self, key: &str, expected: &Value, value: Value, store: Option<&str>) -> Result<bool, ContextError> {
        self.store(store).cas(&self.scope, &parse(key)?, expected, value)
    }
}

fn parse(key: &str) -> Result<Path, ContextError> {
    if key.is_empty() { Err(ContextError::EmptyKey) } else { Ok(Path::parse(key)?) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_apart_and_unknown_names_mean_the_default() {
        let contexts = Arc::new(Contexts::default());
        contexts.add("other", Arc::new(MemoryStore::default()));
        let flow = contexts.scope(ScopeKey::flow("f"));
        flow.set("a.b", Value::Number(1.0), None).unwrap();
        assert_eq!(flow.get("a.b", Some("nope")).unwrap(), Value::Number(1.0));
        assert_eq!(flow.get("a.b", Some("other")).unwrap(), Value::Undefined);
        assert_eq!(contexts.scope(ScopeKey::global()).get("a", None).unwrap(), Value::Undefined);
        assert_eq!(flow.incr("n", 2.0, None).unwrap().to_bits(), 2f64.to_bits());
        assert!(flow.cas("n", &Value::Number(2.0), Value::Number(5.0), None).unwrap());
        assert!(!flow.cas("n", &Value::Number(2.0), Value::Number(6.0), None).unwrap());
        assert_eq!(flow.keys(None).unwrap(), ["a", "n"]);
        assert_eq!(flow.get("", None), Err(ContextError::EmptyKey));
        assert!(flow.get("a b:", None).is_err());
        let empty = contexts.scope(ScopeKey::flow("empty"));
        assert_eq!(empty.get("a b:", None).unwrap(), Value::Undefined, "Node-RED does not look at the key then");
    }
}
