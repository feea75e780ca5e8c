//! The keys that a process has, the newest first.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flotilla_store::Store;
use parking_lot::{Mutex, RwLock};

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
    /// Held while a new key is taken: by one task at a time.
    taking: Arc<Mutex<()>>,
}

struct Found {
    /// A key a line, the newest first; `None`: the group has none here.
    text: Option<Arc<str>>,
    /// The fingerprint of the one that the process is started with next.
    next_start: String,
    /// The keys before the one that the process was given were looked for.
    looked_back: bool,
}

impl KeyRing {
    /// The keys of a process that was given this text.
    pub fn new(store: Arc<dyn Store>, given: Option<&str>, restart: Restart) -> KeyRing {
        let next_start = given.map(|text| fingerprint(newest(text))).unwrap_or_default();
        let found = Found { text: given.map(Arc::from), next_start, looked_back: false };
        KeyRing { store, restart: Arc::new(restart), found: Arc::new(RwLock::new(found)), taking: Arc::default() }
    }

    /// The keys that are known now, in the form of [`super::open`].
    ///
    /// # Errors
    /// [`GroupError::Key`] when the one that the process has is out of use, or what the store said.
    pub async fn keys(&self) -> Result<Option<Arc<str>>, GroupError> {
        self.look_back().await?;
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

    /// A process that was started with a new key reads what is still sealed with the ones before it. Once is enough: of a
    /// key that is replaced later it learns as it goes forward.
    async fn look_back(&self) -> Result<(), GroupError> {
        if self.found.read().looked_back {
            return Ok(());
        }
        let entries = self.store.list(keys::KEY_NEXT).await?;
        let mut handovers = Vec::new();
        for entry in &entries {
            let from = entry.key[keys::KEY_NEXT.len()..].to_owned();
            handovers.push((from, keys::read::<Handover>("the group's new key", entry)?));
        }
        let mut found = self.found.write();
        if let Some(text) = found.text.clone() {
            let mut all: Vec<String> = each(&text).map(str::to_owned).collect();
            let mut at = 0;
            while let Some(key) = all.get(at) {
                let before = handovers.iter().filter_map(|(from, handover)| handover.before(key, from));
                let before: Vec<String> = before.filter(|key| !all.contains(key)).collect();
                all.extend(before);
                at += 1;
            }
            if all.len() > each(&text).count() {
                found.text = Some(all.join("\n").into());
            }
        }
        found.looked_back = true;
        Ok(())
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
        let _one_at_a_time = self.taking.lock();
        if self.known().is_some_and(|known| each(&known).any(|key| key == next)) {
            return Ok(());
        }
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
    std::fs::rename(&beside, file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}
