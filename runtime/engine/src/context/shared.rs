//! The `shared` store: context that all replicas of a group see, kept in the group's store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flotilla_store::{Cas, Entry, Expect, Store, StoreError, Write};

use flotilla_value::{Path, PathPart, Str, Value, parse_json, stringify};

use super::answers::Answers;
use super::error::ContextError;
use super::scope::ScopeKey;
use super::store::ContextStore;

const NAME: &str = "shared";
/// Stands for a key that is not there: no version is 0.
const ABSENT: u64 = 0;
/// Attempts at a compare-and-swap before the caller is told that the key is too busy.
const ATTEMPTS: u32 = 100;
/// How long these attempts may block a worker.
const BUSY: Duration = Duration::from_secs(5);

/// Keeps each top-level key of a scope as JSON text under its prefix and `SCOPE/KEY`. There is no cache in front of a
/// read, so a read sees every write that any replica was told is done. Values are kept as `JSON.stringify` writes them:
/// a Date comes back as a string, as from Node-RED's `localfilesystem`.
///
/// A call blocks the worker, with all tabs on it: for at most the store's time-out (2 s unless its URL says otherwise) and a
/// quarter of a second when an outage begins, and not at all while it lasts.
pub struct SharedStore {
    store: Answers,
    prefix: String,
}

impl SharedStore {
    /// The shared context whose keys in the store begin with `prefix`.
    pub fn new(store: &Arc<dyn Store>, prefix: impl Into<String>) -> SharedStore {
        SharedStore { store: Answers::new(store.clone()), prefix: prefix.into() }
    }

    fn scope_prefix(&self, scope: &ScopeKey) -> String {
        format!("{}{}/", self.prefix, scope.0)
    }

    /// The store's key and what remains of the path inside its value.
    fn key(&self, scope: &ScopeKey, path: &Path) -> Result<(String, Option<Path>), ContextError> {
        let parts = path.resolved(None)?;
        let (first, rest) = parts.split_first().ok_or(ContextError::EmptyKey)?;
        let name = match first {
            PathPart::Key(key) => key.to_string(),
            PathPart::Index(index) => index.to_string(),
            PathPart::Nested(_) => {
                return Err(ContextError::Refused("a nested expression has no message here".to_owned()));
            }
        };
        let rest = (!rest.is_empty()).then(|| Path::from_parts(rest.to_vec()));
        Ok((self.scope_prefix(scope) + &name, rest))
    }

    /// Reads, changes and writes a value until nobody interfered. `change` answers the new value, or `None` to leave it.
    fn update<R>(
        &self,
        key: &str,
        mut change: impl FnMut(Value) -> Result<(Option<Value>, R), ContextError>,
    ) -> Result<R, ContextError> {
        let mut entry = self.store.ask(|store| store.get(key)).map_err(unavailable)?;
        let began = Instant::now();
        for _ in 0..ATTEMPTS {
            if began.elapsed() > BUSY {
                break;
            }
            let (new, result) = change(entry.as_ref().map(decode).unwrap_or_default())?;
            let Some(new) = new else { return Ok(result) };
            let expected = entry.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            if entry.is_none() && new.is_undefined() {
                return Ok(result);
            }
            let text = encode(key, &new)?;
            let swapped = self.store.ask(|store| store.cas(key, expected, text, Write::default()));
            match swapped.map_err(unavailable)? {
                Cas::Swapped(_) => return Ok(result),
                Cas::Conflict(current) => entry = current,
            }
        }
        Err(ContextError::Unavailable {
            store: NAME.to_owned(),
            reason: format!("\"{key}\" was changed by others again and again, for {:?}", began.elapsed()),
        })
    }
}

fn unavailable(error: StoreError) -> ContextError {
    match error {
        StoreError::NotANumber { .. } => ContextError::Refused(error.to_string()),
        error => ContextError::Unavailable { store: NAME.to_owned(), reason: error.to_string() },
    }
}

fn decode(entry: &Entry) -> Value {
    parse_json(&entry.value).unwrap_or_default()
}

/// `None` for `undefined`: the key is removed.
fn encode(key: &str, value: &Value) -> Result<Option<Bytes>, ContextError> {
    let not_storable =
        |reason: String| ContextError::NotStorable { store: NAME.to_owned(), key: key.to_owned(), reason };
    let text = stringify(value).map_err(|error| not_storable(error.to_string()))?;
    Ok(text.map(Bytes::from))
}

fn replace(mut root: Value, rest: Option<&Path>, value: Value) -> Result<Value, ContextError> {
    let Some(rest) = rest else { return Ok(value) };
    if root.is_undefined() {
        root = Value::object();
    }
    rest.set_in(&mut root, value, true, None)?;
    Ok(root)
}

fn read(root: &Value, rest: Option<&Path>) -> Value {
    rest.map_or_else(|| root.clone(), |rest| rest.get_in(root, None).unwrap_or_default())
}

impl ContextStore for SharedStore {
    fn get(&self, scope: &ScopeKey, path: &Path) -> Result<Value, ContextError> {
        let (key, rest) = self.key(scope, path)?;
        let entry = self.store.ask(|store| store.get(&key)).map_err(unavailable)?;
        Ok(entry.map(|entry| read(&decode(&entry), rest.as_ref())).unwrap_or_default())
    }

    fn set(&self, scope: &ScopeKey, path: &Path, value: Value) -> Result<(), ContextError> {
        let (key, rest) = self.key(scope, path)?;
        match (rest, encode(&key, &value)?) {
            (None, Some(text)) => {
                self.store.ask(|store| store.set(&key, text, Write::default())).map_err(unavailable)?;
            }
            (None, None) => {
                self.store.ask(|store| store.delete(&key, None)).map_err(unavailable)?;
            }
            (Some(rest), _) => {
                self.update(&key, |root| Ok((Some(replace(root, Some(&rest), value.clone())?), ())))?;
            }
        }
        Ok(())
    }

    fn get_seen(&self, scope: &ScopeKey, path: &Path) -> Result<(Value, Option<u64>), ContextError> {
        let (key, rest) = self.key(scope, path)?;
        let entry = self.store.ask(|store| store.get(&key)).map_err(unavailable)?;
        let seen = entry.as_ref().map_or(ABSENT, |entry| entry.version);
        Ok((entry.map(|entry| read(&decode(&entry), rest.as_ref())).unwrap_or_default(), Some(seen)))
    }

    fn set_after(&self, scope: &ScopeKey, path: &Path, value: Value, seen: u64) -> Result<bool, ContextError> {
        let (key, rest) = self.key(scope, path)?;
        // The version is that of the whole value: others may have set another part of it, and nothing is lost then.
        let whole = if rest.is_none() { encode(&key, &value)? } else { None };
        let Some(text) = whole else { return self.set(scope, path, value).map(|()| false) };
        let expected = if seen == ABSENT { Expect::Absent } else { Expect::Version(seen) };
        let swapped = self.store.ask(|store| store.cas(&key, expected, Some(text.clone()), Write::default()));
        if swapped.map_err(unavailable)?.is_swapped() {
            return Ok(false);
        }
        self.store.ask(|store| store.set(&key, text, Write::default())).map_err(unavailable)?;
        Ok(true)
    }

    fn keys(&self, scope: &ScopeKey) -> Result<Vec<Str>, ContextError> {
        let prefix = self.scope_prefix(scope);
        let entries = self.store.ask(|store| store.list(&prefix)).map_err(unavailable)?;
        Ok(entries.iter().filter_map(|entry| entry.key.strip_prefix(&prefix)).map(Str::new).collect())
    }

    fn incr(&self, scope: &ScopeKey, path: &Path, by: f64) -> Result<f64, ContextError> {
        let (key, rest) = self.key(scope, path)?;
        let Some(rest) = rest else { return self.store.ask(|store| store.incr(&key, by)).map_err(unavailable) };
        self.update(&key, |root| {
            let sum = match read(&root, Some(&rest)) {
                Value::Undefined | Value::Null => by,
                Value::Number(number) => number + by,
                other => {
                    return Err(ContextError::Refused(format!("incr of \"{path}\": it holds {other:?}, not a number")));
                }
            };
            Ok((Some(replace(root, Some(&rest), Value::Number(sum))?), sum))
        })
    }

    fn cas(&self, scope: &ScopeKey, path: &Path, expected: &Value, value: Value) -> Result<bool, ContextError> {
        let (key, rest) = self.key(scope, path)?;
        // What is kept is what JSON keeps: the expectation is compared in the same form.
        let expected = encode(&key, expected)?.map_or(Value::Undefined, |text| parse_json(&text).unwrap_or_default());
        self.update(&key, |root| {
            if read(&root, rest.as_ref()) != expected {
                return Ok((None, false));
            }
            Ok((Some(replace(root, rest.as_ref(), value.clone())?), true))
        })
    }

    fn delete(&self, scope: &ScopeKey) -> Result<(), ContextError> {
        for entry in self.store.ask(|store| store.list(&self.scope_prefix(scope))).map_err(unavailable)? {
            self.store.ask(|store| store.delete(&entry.key, None)).map_err(unavailable)?;
        }
        Ok(())
    }

    fn clean(&self, _is_live: &dyn Fn(&ScopeKey) -> bool) -> Result<(), ContextError> {
        // A replica of another revision may still use what this one no longer knows: nothing is removed.
        Ok(())
    }

    fn is_remote(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Contexts;

    #[tokio::test]
    async fn two_replicas_see_one_another() {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("s.db").display());
        let replica = || async {
            let store = flotilla_store::open(&url).await.unwrap();
            let contexts = Arc::new(Contexts::default());
            contexts.add("shared", Arc::new(SharedStore::new(&store, "g/")));
            contexts.scope(ScopeKey::flow("f"))
        };
        let (a, b) = (replica().await, replica().await);
        let shared = Some("shared");
        a.set("o.list[1]", Value::from("x"), shared).unwrap();
        assert_eq!(stringify(&b.get("o", shared).unwrap()).unwrap().unwrap(), r#"{"list":[null,"x"]}"#);
        assert!((a.incr("n", 2.0, shared).unwrap() + b.incr("n", 1.5, shared).unwrap() - 5.5).abs() < 1e-9);
        assert!((a.incr("o.n", 1.0, shared).unwrap() + b.incr("o.n", 1.0, shared).unwrap() - 3.0).abs() < 1e-9);
        assert!(a.cas("lock", &Value::Undefined, Value::from("a"), shared).unwrap());
        assert!(!b.cas("lock", &Value::Undefined, Value::from("b"), shared).unwrap());
        assert_eq!(b.keys(shared).unwrap(), ["lock", "n", "o"]);
        for (key, before) in [("seen", Value::Undefined), ("n", Value::from(3.5))] {
            let (value, seen) = a.get_seen(key, shared).unwrap();
            assert_eq!(value, before);
            assert!(!a.set_after(key, Value::from(1.0), shared, seen.unwrap()).unwrap(), "nobody was in between");
            assert!(b.set_after(key, Value::from(2.0), shared, seen.unwrap()).unwrap(), "the update of a is lost");
            assert_eq!(a.get(key, shared).unwrap(), Value::from(2.0), "it is set all the same");
        }
        b.set("seen", Value::Undefined, shared).unwrap();
        b.set("lock", Value::Undefined, shared).unwrap();
        assert_eq!(a.get("lock", shared).unwrap(), Value::Undefined);
        assert!(matches!(a.set("c", Value::Circular(1), shared), Err(ContextError::NotStorable { .. })));
        assert!(matches!(a.incr("o", 1.0, shared), Err(ContextError::Refused(_))));
    }
}
