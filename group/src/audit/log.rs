//! The audit log in the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use flotilla_api::audit::AuditEntry;
use flotilla_store::{Store, Write};

use crate::desired::DesiredStates;
use crate::error::GroupError;
use crate::keys;

/// How long entries are kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// Tells apart what one process writes within a millisecond.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// The audit log of a group.
#[derive(Clone)]
pub struct AuditLog {
    store: Arc<dyn Store>,
    group: String,
}

impl AuditLog {
    /// The log of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<AuditLog, GroupError> {
        keys::check("group name", group)?;
        Ok(AuditLog { store, group: group.to_owned() })
    }

    /// Writes what a user did; the time is the store's.
    pub async fn write(&self, mut entry: AuditEntry) -> Result<(), GroupError> {
        entry.time_ms = self.store.now().await?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let serial = format!("{}-{}", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed));
        self.put(&entry, &serial).await
    }

    /// Writes the entries of a rollout's own log from `first` on. Writing one again changes nothing: its key is its
    /// place in that log.
    pub async fn copy(&self, log: &[AuditEntry], first: usize) -> Result<(), GroupError> {
        for (index, entry) in log.iter().enumerate().skip(first) {
            self.put(entry, &serial(entry, index)).await?;
        }
        Ok(())
    }

    async fn put(&self, entry: &AuditEntry, serial: &str) -> Result<(), GroupError> {
        let key = keys::audit(&self.group, entry.time_ms, serial);
        let value = keys::encode(entry);
        self.store.set(&key, value, Write::expiring(KEPT)).await?;
        Ok(())
    }

    /// The entries, oldest first. Those of the last rollout come from its own log where they were not copied yet.
    pub async fn list(&self) -> Result<Vec<AuditEntry>, GroupError> {
        let state = DesiredStates::new(self.store.clone(), &self.group)?.load().await?;
        let rollout = state.and_then(|(state, _)| state.rollout);
        let mut all = BTreeMap::new();
        for (index, entry) in rollout.into_iter().flat_map(|rollout| rollout.0.log).enumerate() {
            all.insert(keys::audit(&self.group, entry.time_ms, &serial(&entry, index)), entry);
        }
        for entry in self.store.list(&keys::audits(&self.group)).await? {
            all.insert(entry.key.clone(), keys::read("an audit entry", &entry)?);
        }
        Ok(all.into_values().collect())
    }
}

/// The place of an entry in its rollout's log.
fn serial(entry: &AuditEntry, index: usize) -> String {
    format!("r{:06}-{index:05}", entry.rollout)
}
