//! The keys that a process has, the newest first.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flotilla_store::Store;
use parking_lot::RwLock;

use super::handover::Handover;
use super::keys::{each, fingerprint, newest};
use crate::error::GroupError;
use crate::keys;

/// With which key a process is started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restart {
    /// The one that it was given.
    Given,
    /// The newest: who starts it has that.
    Newest,
    /// The one in this file, which it keeps up to date.
    File(PathBuf),
}

/// The keys that a process has. Before each use it looks into the store for a newer one, so that nothing is sealed with an
/// old key once the group has a new one; what it has found stays known.
#[derive(Clone)]
pub struct KeyRing {
    store: Arc<dyn Store>,
    restart: Arc<Restart>,
    found: Arc<RwLock<Found>>,
}

struct Found {
    /// A key a line, the newest first; `None`: the group has none here.
    text: Option<Arc<str>>,
    /// The fingerprint of the one that the process is started with next.
    next_start: String,
}

impl KeyRing {
    /// The keys of a process that was given this text.
    pub fn new(store: Arc<dyn Store>, given: Option<&str>, restart: Restart) -> KeyRing {
        let next_start = given.map(|text| fingerprint(newest(text))).unwrap_or_default();
        let found = Found { text: given.map(Arc::from), next_start };
        KeyRing { store, restart: Arc::new(restart), found: Arc::new(RwLock::new(found)) }
    }

    /// The keys that are known now, in the form of [`super::open`].
    ///
    /// # Errors
    /// [`GroupError::Key`] when the one that the process has is out of use, or what the store said.
    pub async fn keys(&self) -> Result<Option<Arc<str>>, GroupError> {
        loop {
            let Some(text) = self.known() else { return Ok(None) };
            let key = newest(&text);
            let Some(entry) = self.store.get(&keys::key_next(&fingerprint(key))).await? else { return Ok(Some(text)) };
            let next = keys::read::<Handover>("the group's new key", &entry)?.open(key)?;
            if each(&text).any(|known| known == next) {
                return Ok(Some(text));
            }
            self.take(&next, &text)?;
        }
    }

    /// Where the store keeps new keys: what [`Changes`](crate::Changes) are to be of.
    pub fn changes_key() -> String {
        keys::KEY_NEXT.to_owned()
    }

    /// The same without a look at the store.
    pub fn known(&self) -> Option<Arc<str>> {
        self.found.read().text.clone()
    }

    /// The fingerprint of the key that this process is started with next; empty: none.
    pub fn next_start(&self) -> String {
        self.found.read().next_start.clone()
    }

    /// True when it keeps a new key by itself.
    pub fn keeps(&self) -> bool {
        matches!(*self.restart, Restart::File(_))
    }

    /// The newest key, when the file has it.
    fn take(&self, next: &str, before: &str) -> Result<(), GroupError> {
        if let Restart::File(file) = &*self.restart {
            replace(file, next).map_err(|error| GroupError::Key {
                field: "group_key",
                reason: format!("the group's new key cannot be written to {}: {error}", file.display()),
            })?;
        }
        let mut found = self.found.write();
        if *self.restart != Restart::Given {
            found.next_start = fingerprint(next);
        }
        found.text = Some(format!("{next}\n{before}").into());
        tracing::info!(fingerprint = fingerprint(next), "the group has a new key; this process has it, too");
        Ok(())
    }
}

/// No key is ever shown.
impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("next_start", &self.next_start()).finish_non_exhaustive()
    }
}

/// Whole or not at all, and for its owner only.
fn replace(file: &Path, key: &str) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut written = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    written.write_all(key.as_bytes())?;
    written.sync_all()?;
    std::fs::rename(&beside, file)
}
