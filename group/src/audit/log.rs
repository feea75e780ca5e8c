//! The audit log in the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use flotilla_api::audit::AuditEntry;
use flotilla_store::{Store, Write};

use crate::error::GroupError;
use crate::keys;

/// How long entries are kept.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);

/// Tells apart what one process writes within a millisecond.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// The audit log of a group.
#[derive(Clone)]
pub struct AuditLog {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) group: String,
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

    /// The log of what concerns no group: users, tokens, logins.
    pub fn system(store: Arc<dyn Store>) -> AuditLog {
        AuditLog { store, group: String::new() }
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
}

/// The place of an entry in its rollout's log.
pub(crate) fn serial(entry: &AuditEntry, index: usize) -> String {
    format!("r{:06}-{index:05}", entry.rollout)
}
