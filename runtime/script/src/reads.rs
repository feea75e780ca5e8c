//! Read, change, write: whether somebody else wrote in between.

use std::cell::RefCell;

use flotilla_engine::context::ScopeKey;
use flotilla_value::Str;

/// Keys that one call is watched for at most.
const MOST: usize = 64;

/// The versions at which one call of a function saw keys of context that other replicas may write.
#[derive(Default)]
pub(super) struct Reads(RefCell<Vec<Read>>);

struct Read {
    scope: ScopeKey,
    key: Str,
    store: Option<Str>,
    version: u64,
}

impl Reads {
    /// The call saw a key at a version.
    pub(super) fn saw(&self, scope: &ScopeKey, key: &Str, store: Option<&Str>, version: u64) {
        self.take(scope, key, store);
        let mut reads = self.0.borrow_mut();
        if reads.len() < MOST {
            reads.push(Read { scope: scope.clone(), key: key.clone(), store: store.cloned(), version });
        }
    }

    /// At which version the call saw the key that it writes now. What it reads after that counts anew.
    pub(super) fn take(&self, scope: &ScopeKey, key: &Str, store: Option<&Str>) -> Option<u64> {
        let mut reads = self.0.borrow_mut();
        let is_it = |read: &Read| read.scope == *scope && read.key == *key && read.store.as_ref() == store;
        let at = reads.iter().position(is_it)?;
        Some(reads.swap_remove(at).version)
    }
}
