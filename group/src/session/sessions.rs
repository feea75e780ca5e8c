//! The sessions of a group in the store.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flotilla_store::{Acquire, Lease, Store, Write};

use super::kept::Kept;
use crate::error::GroupError;
use crate::keys;

/// How long it is remembered that a dead replica's sessions were taken over.
const MARK: Duration = Duration::from_secs(24 * 3600);
/// How long a session that nobody here can resume is remembered.
const HOPELESS: Duration = Duration::from_secs(15 * 60);

/// The sessions of a group in the store.
#[derive(Clone)]
pub struct Sessions {
    store: Arc<dyn Store>,
    group: String,
}

impl Sessions {
    /// The sessions of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Sessions, GroupError> {
        keys::check("group name", group)?;
        Ok(Sessions { store, group: group.to_owned() })
    }

    /// Records a session. False, and nothing is recorded, when the replica's id is no longer held by the process
    /// `pid/started_ms`: it must not consume any more.
    pub async fn record(&self, kept: &Kept, process: &str) -> Result<bool, GroupError> {
        let name = keys::member_lease(&kept.replica);
        let held = self.store.leases(&name).await?;
        if !held.iter().any(|lease| lease.name == name && lease.holder == process) {
            return Ok(false);
        }
        let value = keys::encode(kept);
        self.store.set(&keys::session(&self.group, &kept.client_id), value, Write::default()).await?;
        Ok(true)
    }

    /// Forgets a session that has ended.
    pub async fn forget(&self, client_id: &str) -> Result<(), GroupError> {
        self.store.delete(&keys::session(&self.group, client_id), None).await?;
        Ok(())
    }

    /// Forgets a session after a while: nobody could resume it.
    pub async fn give_up(&self, kept: &Kept) -> Result<(), GroupError> {
        let key = keys::session(&self.group, &kept.client_id);
        if self.store.get(&key).await?.is_some_and(|entry| entry.expires.is_none()) {
            let value = keys::encode(kept);
            self.store.set(&key, value, Write::expiring(HOPELESS)).await?;
        }
        Ok(())
    }

    /// The sessions whose replica is dead: nobody holds its id.
    pub async fn orphans(&self) -> Result<Vec<Kept>, GroupError> {
        let entries = self.store.list(&keys::sessions(&self.group)).await?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let held = self.store.leases(&keys::member_lease("")).await?;
        let living: HashSet<String> = held.into_iter().map(|lease| lease.name).collect();
        let kept: Vec<Kept> = entries.iter().map(|entry| keys::read("a session", entry)).collect::<Result<_, _>>()?;
        Ok(kept.into_iter().filter(|kept| !living.contains(&keys::member_lease(&kept.replica))).collect())
    }

    /// Takes a dead replica's id, so that it cannot come back under it and nobody else finishes its sessions. `None`
    /// when someone else has it.
    pub async fn take_over(&self, replica: &str, process: &str, ttl: Duration) -> Result<Option<Lease>, GroupError> {
        match self.store.acquire(&keys::member_lease(replica), process, ttl).await? {
            Acquire::Held(_) => Ok(None),
            Acquire::Granted(lease) => {
                let write = Write { ttl: Some(MARK), fence: Some(lease.fence()) };
                self.store.set(&keys::taken_over(replica), Bytes::from(process.to_owned()), write).await?;
                Ok(Some(lease))
            }
        }
    }

    /// Keeps a taken id. An error when it is lost.
    pub async fn keep(&self, lease: &Lease) -> Result<Lease, GroupError> {
        Ok(self.store.renew(lease).await?)
    }

    /// Gives a taken id back.
    pub async fn release(&self, lease: &Lease) -> Result<(), GroupError> {
        self.store.release(lease).await?;
        Ok(())
    }
}
