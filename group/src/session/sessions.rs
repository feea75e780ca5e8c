//! The sessions of a group in the store.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flotilla_store::{Acquire, Expect, Lease, Store, StoreError, Write};

use super::kept::{Kept, Orphans};
use crate::error::GroupError;
use crate::keys;
use crate::member::Standing;

/// How long it is remembered that a dead replica's sessions were taken over.
const MARK: Duration = Duration::from_secs(24 * 3600);
/// How long a session that nobody here can resume is remembered.
const HOPELESS: Duration = Duration::from_secs(15 * 60);

/// Attempts at a change that others interfere with.
pub(super) const ATTEMPTS: usize = 50;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is in the store.
    Done,
    /// The replica's id is another's: it must not consume any more.
    Lost,
}

/// The sessions of a group in the store.
#[derive(Clone)]
pub struct Sessions {
    pub(super) store: Arc<dyn Store>,
    pub(super) group: String,
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

    /// Records a session, unless another process holds the replica's id or took its sessions over: the process must not
    /// consume any more then. A lease that ran out and that nobody took is no reason to stop.
    pub async fn record(&self, kept: &Kept, process: &str) -> Result<Recorded, GroupError> {
        self.put(kept, &kept.replica, process).await
    }

    /// False when another process holds a replica's id or took its sessions over.
    pub async fn is_ours(&self, replica: &str, process: &str) -> Result<bool, GroupError> {
        let name = keys::member_lease(replica);
        let held = self.store.leases(&name).await?;
        if let Some(held) = held.iter().find(|lease| lease.name == name) {
            return Ok(held.holder == process);
        }
        Ok(self.store.get(&keys::taken_over(replica)).await?.is_none())
    }

    /// Records a session that its replica leaves on purpose: another may take it up at once. Nothing is written when another
    /// process has it by now.
    pub async fn leave_behind(&self, kept: &Kept, process: &str) -> Result<Recorded, GroupError> {
        let left = Kept { replica: keys::left_behind(&kept.client_id), ..kept.clone() };
        self.put(&left, &kept.replica, process).await
    }

    /// A session that was not given up, and its version.
    pub(super) async fn get(&self, client_id: &str) -> Result<Option<(Kept, u64)>, GroupError> {
        let entry = self.store.get(&keys::session(&self.group, client_id)).await?;
        let Some(entry) = entry.filter(|entry| entry.expires.is_none()) else { return Ok(None) };
        Ok(Some((keys::read("a session", &entry)?, entry.version)))
    }

    /// Writes a changed session if it is still at `version`. False when it is not.
    pub(super) async fn swap(&self, kept: &Kept, version: u64) -> Result<bool, GroupError> {
        let (key, value) = (keys::session(&self.group, &kept.client_id), keys::encode(kept));
        let swapped = self.store.cas(&key, Expect::Version(version), Some(value), Write::default()).await?;
        Ok(swapped.is_swapped())
    }

    /// Writes a session for `process`, whose replica's id is `owner`. The record is read first, and then whether the id is still
    /// this process's: a process that takes the session over in between changes the record, and is not written over.
    async fn put(&self, kept: &Kept, owner: &str, process: &str) -> Result<Recorded, GroupError> {
        let key = keys::session(&self.group, &kept.client_id);
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(&key).await?;
            if !self.is_ours(owner, process).await? {
                return Ok(Recorded::Lost);
            }
            let expected = entry.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            if self.store.cas(&key, expected, Some(keys::encode(kept)), Write::default()).await?.is_swapped() {
                return Ok(Recorded::Done);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }

    /// Forgets a session that has ended.
    pub async fn forget(&self, client_id: &str) -> Result<(), GroupError> {
        self.store.delete(&keys::session(&self.group, client_id), None).await?;
        Ok(())
    }

    /// Notes that the group is removed and its sessions are to be ended: those of the group itself are recorded nowhere, and who
    /// asks again is to be heard although the group is gone.
    pub async fn owe(&self) -> Result<(), GroupError> {
        self.store.set(&keys::sessions_owed(&self.group), Bytes::from_static(b"owed"), Write::default()).await?;
        Ok(())
    }

    /// True from [`Sessions::owe`] to [`Sessions::settle`].
    pub async fn are_owed(&self) -> Result<bool, GroupError> {
        Ok(self.store.get(&keys::sessions_owed(&self.group)).await?.is_some())
    }

    /// Notes that all sessions of a removed group have ended.
    pub async fn settle(&self) -> Result<(), GroupError> {
        self.store.delete(&keys::sessions_owed(&self.group), None).await?;
        Ok(())
    }

    /// Forgets a session after a while: nobody could resume it.
    pub async fn give_up(&self, kept: &Kept) -> Result<(), GroupError> {
        let key = keys::session(&self.group, &kept.client_id);
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(&key).await?;
            let Some(entry) = entry.filter(|entry| entry.expires.is_none()) else { return Ok(()) };
            // As it is now: who has begun with it meanwhile is noted in it.
            let expected = Expect::Version(entry.version);
            if self.store.cas(&key, expected, Some(entry.value), Write::expiring(HOPELESS)).await?.is_swapped() {
                return Ok(());
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }

    /// The sessions of replicas whose ids nobody holds, by replica; none while the asker's own id, `own`, is not held: the
    /// store was away, or its clock was put forward, and all are about to take their leases up again.
    pub async fn orphans(&self, own: &str, standing: &Standing) -> Result<Vec<Orphans>, GroupError> {
        let entries = self.store.list(&keys::sessions(&self.group)).await?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let held = self.store.leases(&keys::member_lease("")).await?;
        let living: HashSet<String> = held.into_iter().map(|lease| lease.name).collect();
        if !living.contains(&keys::member_lease(own)) {
            return Ok(Vec::new());
        }
        let may_judge = standing.may_judge();
        let mut orphans: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
        for entry in &entries {
            let kept: Kept = keys::read("a session", entry)?;
            let declared = may_judge || keys::is_left_behind(&kept.replica);
            if declared && !living.contains(&keys::member_lease(&kept.replica)) {
                orphans.entry(kept.replica.clone()).or_default().push(kept);
            }
        }
        Ok(orphans.into_iter().map(|(replica, sessions)| Orphans { replica, sessions }).collect())
    }

    /// Takes a dead replica's id, so that it cannot come back under it and nobody else finishes its sessions. `None`
    /// when someone else has it, or when the asker cannot prove that it held its own id all the while: then it may have
    /// been blind itself, and the other alive.
    pub async fn take_over(
        &self,
        replica: &str,
        process: &str,
        ttl: Duration,
        standing: &Standing,
    ) -> Result<Option<Lease>, GroupError> {
        let lease = match self.store.acquire(&keys::member_lease(replica), &keys::adopter(process), ttl).await? {
            Acquire::Held(_) => return Ok(None),
            Acquire::Granted(lease) => lease,
        };
        if !standing.prove().await || !(standing.may_judge() || keys::is_left_behind(replica)) {
            self.store.release(&lease).await?;
            return Ok(None);
        }
        // Under the lease: had this process been paused since, the lease would have run out.
        let write = Write { ttl: Some(MARK), fence: Some(lease.fence()) };
        self.store.set(&keys::taken_over(replica), Bytes::from(process.to_owned()), write).await?;
        Ok(Some(lease))
    }

    /// All that are recorded, by ClientID; those that were given up, too, until they are forgotten.
    pub async fn list(&self) -> Result<Vec<Kept>, GroupError> {
        let entries = self.store.list(&keys::sessions(&self.group)).await?;
        entries.iter().map(|entry| keys::read("a session", entry)).collect()
    }

    /// What is recorded of a replica now: it may have recorded more before it was taken over.
    pub async fn of(&self, replica: &str) -> Result<Vec<Kept>, GroupError> {
        Ok(self.list().await?.into_iter().filter(|kept| kept.replica == replica).collect())
    }

    /// Keeps a taken id.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when it ran out: see [`Sessions::take_again`].
    pub async fn keep(&self, lease: &Lease) -> Result<Lease, StoreError> {
        self.store.renew(lease).await
    }

    /// Takes a taken id up again whose lease ran out while the store was away; `None` when another has it now.
    pub async fn take_again(&self, lease: &Lease) -> Result<Option<Lease>, StoreError> {
        Ok(self.store.acquire(&lease.name, &lease.holder, lease.ttl).await?.granted())
    }

    /// Gives a taken id back.
    pub async fn release(&self, lease: &Lease) -> Result<(), GroupError> {
        self.store.release(lease).await?;
        Ok(())
    }
}
