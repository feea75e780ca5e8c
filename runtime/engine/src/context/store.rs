//! What a context store can do.

use flotilla_value::{Path, Str, Value};

use super::error::ContextError;
use super::scope::ScopeKey;

/// A place that keeps context. Operations answer within their own time-out; they may block for that long.
pub trait ContextStore: Send + Sync {
    /// Reads a key; `Undefined` when it is not there.
    fn get(&self, scope: &ScopeKey, path: &Path) -> Result<Value, ContextError>;
    /// Sets a key, creating parents; `Undefined` deletes it.
    fn set(&self, scope: &ScopeKey, path: &Path, value: Value) -> Result<(), ContextError>;
    /// Reads a key and the version that was seen, for [`ContextStore::set_after`]; `None` where nobody else can write.
    fn get_seen(&self, scope: &ScopeKey, path: &Path) -> Result<(Value, Option<u64>), ContextError> {
        Ok((self.get(scope, path)?, None))
    }
    /// Sets a key, like [`ContextStore::set`], after it was seen at a version. True when somebody else wrote it in between:
    /// that update is lost.
    fn set_after(&self, scope: &ScopeKey, path: &Path, value: Value, seen: u64) -> Result<bool, ContextError> {
        let _ = seen;
        self.set(scope, path, value).map(|()| false)
    }
    /// Top-level keys, in insertion order where the store knows it.
    fn keys(&self, scope: &ScopeKey) -> Result<Vec<Str>, ContextError>;
    /// Adds to a number (a missing one counts as 0) and answers the new one, atomically.
    fn incr(&self, scope: &ScopeKey, path: &Path, by: f64) -> Result<f64, ContextError>;
    /// Sets a key if it equals `expected` (`Undefined`: is absent), atomically. True when it was set.
    fn cas(&self, scope: &ScopeKey, path: &Path, expected: &Value, value: Value) -> Result<bool, ContextError>;
    /// Forgets a scope.
    fn delete(&self, scope: &ScopeKey) -> Result<(), ContextError>;
    /// Forgets the scopes of nodes and flows that no longer exist.
    fn clean(&self, is_live: &dyn Fn(&ScopeKey) -> bool) -> Result<(), ContextError>;
    /// True when an operation may wait for something outside this process.
    fn is_remote(&self) -> bool {
        false
    }
}
