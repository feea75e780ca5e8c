//! The audit log in the store: a chain with one end, which is changed by compare-and-swap only.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::audit::{AuditChain, AuditEntry, Checkpoint, Sealed};
use flotilla_store::{Entry, Expect, Store, Write};
use serde::{Deserialize, Serialize};

use super::signer::Signer;
use super::verify::entry;
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;

/// How long entries are kept.
pub(crate) const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Checkpoints outlive the entries, so that what was trimmed is told from what was taken away.
const CHECKPOINTS_KEPT: Duration = Duration::from_secs(2 * 90 * 24 * 3600);
/// A checkpoint at the latest after so many entries,
const CHECKPOINT_ENTRIES: u64 = 32;
/// or with the first entry that is written so long after the last one.
const CHECKPOINT_MS: u64 = 60_000;
/// Attempts to append that others interfere with.
const ATTEMPTS: usize = 100;

/// The audit log of a group.
#[derive(Clone)]
pub struct AuditLog {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) group: String,
    signer: Option<Arc<Signer>>,
}

/// The end of the chain. There is one record of it, so there is one order, whoever appends; who was overtaken tries again
/// behind the other. It holds the last entry itself: entry and end are one write.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) last: Option<Sealed>,
    /// The last entry of a rollout's own log that is in the chain: the rollout's number and the place in that log.
    #[serde(default)]
    pub(crate) copied: Option<(u64, usize)>,
    /// The last checkpoint's place and time.
    #[serde(default)]
    checkpoint: Option<(u64, u64)>,
}

impl AuditLog {
    /// The log of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<AuditLog, GroupError> {
        keys::check("group name", group)?;
        Ok(AuditLog { store, group: group.to_owned(), signer: None })
    }

    /// The log of what concerns no group: users, tokens, logins.
    pub fn system(store: Arc<dyn Store>) -> AuditLog {
        AuditLog { store, group: String::new(), signer: None }
    }

    /// The same log; what is appended through it is signed now and then.
    pub fn signed(self, signer: Option<Arc<Signer>>) -> AuditLog {
        AuditLog { signer, ..self }
    }

    /// Where the store keeps the checkpoints: what [`Changes`](crate::Changes) are to be of.
    pub fn checkpoints_key(&self) -> String {
        keys::audit_checkpoints(&self.group)
    }

    /// Writes what a user did; the time is the store's.
    pub async fn write(&self, entry: AuditEntry) -> Result<(), GroupError> {
        self.append(AuditEntry { time_ms: now_ms(&*self.store).await?, ..entry }, None).await
    }

    /// Writes the entries of a rollout's own log from `first` on, those that are not there yet.
    pub async fn copy(&self, log: &[AuditEntry], first: usize) -> Result<(), GroupError> {
        for (index, entry) in log.iter().enumerate().skip(first) {
            self.append(entry.clone(), Some((entry.rollout, index))).await?;
        }
        Ok(())
    }

    /// Writes the entries of a run of a pipeline from `first` on. With `missing` only those that are not there: who wrote the
    /// run may have died before.
    pub(crate) async fn copy_run(&self, log: &[AuditEntry], first: usize, missing: bool) -> Result<(), GroupError> {
        let new = log.iter().skip(first);
        if !missing {
            for entry in new {
                self.append(entry.clone(), None).await?;
            }
            return Ok(());
        }
        let there = self.list().await?;
        for entry in new {
            if there.iter().any(|found| AuditEntry { seq: entry.seq, ..found.clone() } == *entry) {
                continue;
            }
            self.append(entry.clone(), None).await?;
        }
        Ok(())
    }

    async fn append(&self, entry: AuditEntry, place: Option<(u64, usize)>) -> Result<(), GroupError> {
        let text = serde_json::to_string(&entry).unwrap_or_default();
        for _ in 0..ATTEMPTS {
            let (head, expected) = self.head().await?;
            if place.is_some() && (head.copied >= place || self.was_copied_before(&head, &entry, place).await?) {
                return Ok(());
            }
            if let Some(last) = &head.last {
                // Its writer may have died before.
                self.keep(last).await?;
            }
            let sealed = Sealed::after(head.last.as_ref(), &self.group, text.clone());
            let checkpoint = self.checkpoint(&head, &sealed, entry.time_ms);
            let next = Head {
                last: Some(sealed.clone()),
                copied: place.or(head.copied),
                checkpoint: checkpoint.as_ref().map(|at| (at.seq, at.time_ms)).or(head.checkpoint),
            };
            let key = keys::audit_head(&self.group);
            if self.store.cas(&key, expected, Some(keys::encode(&next)), Write::default()).await?.is_swapped() {
                self.keep(&sealed).await?;
                if let Some(checkpoint) = checkpoint {
                    let key = keys::audit_checkpoint(&self.group, checkpoint.seq);
                    self.store.set(&key, keys::encode(&checkpoint), Write::expiring(CHECKPOINTS_KEPT)).await?;
                }
                return Ok(());
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }

    /// A checkpoint at an entry, when one is due and the key is known.
    fn checkpoint(&self, head: &Head, at: &Sealed, now_ms: u64) -> Option<Checkpoint> {
        let due = head.checkpoint.is_none_or(|(seq, time_ms)| {
            at.seq >= seq + CHECKPOINT_ENTRIES || now_ms >= time_ms.saturating_add(CHECKPOINT_MS)
        });
        let signer = self.signer.as_ref().filter(|_| due)?;
        Some(signer.checkpoint(&self.group, at, now_ms))
    }

    /// Keeps an entry in its place. What is there stays.
    async fn keep(&self, sealed: &Sealed) -> Result<(), GroupError> {
        let key = keys::audit_sealed(&self.group, sealed.seq);
        self.store.cas(&key, Expect::Absent, Some(keys::encode(sealed)), Write::expiring(KEPT)).await?;
        Ok(())
    }

    /// Whether a version before the chain has copied this entry.
    async fn was_copied_before(
        &self,
        head: &Head,
        entry: &AuditEntry,
        place: Option<(u64, usize)>,
    ) -> Result<bool, GroupError> {
        let (None, Some((_, index))) = (head.copied, place) else { return Ok(false) };
        let key = keys::audit(&self.group, entry.time_ms, &serial(entry, index));
        Ok(self.store.get(&key).await?.is_some())
    }

    pub(crate) async fn head(&self) -> Result<(Head, Expect), GroupError> {
        match self.store.get(&keys::audit_head(&self.group)).await? {
            Some(entry) => Ok((keys::read("the end of an audit log", &entry)?, Expect::Version(entry.version))),
            None => Ok((Head::default(), Expect::Absent)),
        }
    }

    /// The number of the last entry; 0: there is none.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn last(&self) -> Result<u64, GroupError> {
        Ok(self.head().await?.0.last.map_or(0, |last| last.seq))
    }

    /// The entries behind that of this number, oldest first: each is read by itself, and none before them.
    ///
    /// # Errors
    /// While the store is away; [`GroupError::Corrupt`].
    pub async fn behind(&self, seq: u64) -> Result<Vec<AuditEntry>, GroupError> {
        let Some(last) = self.head().await?.0.last else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for seq in seq + 1..last.seq {
            if let Some(kept) = self.store.get(&keys::audit_sealed(&self.group, seq)).await? {
                found.push(keys::read::<Sealed>("an audit entry", &kept)?);
            }
        }
        if last.seq > seq {
            found.push(last);
        }
        Ok(found.iter().filter_map(|sealed| Some(AuditEntry { seq: sealed.seq, ..entry(sealed)? })).collect())
    }

    /// All that is needed to check the log.
    pub async fn chain(&self) -> Result<AuditChain, GroupError> {
        // In this order: what is written meanwhile is in the later ones, so that nothing seems to be cut off.
        let checkpoints = self.store.list(&self.checkpoints_key()).await?;
        let head = self.head().await?.0.last;
        let entries = self.store.list(&keys::audit_all_sealed(&self.group)).await?;
        Ok(AuditChain {
            group: self.group.clone(),
            entries: read_all("an audit entry", &entries)?,
            head,
            checkpoints: read_all("a checkpoint of an audit log", &checkpoints)?,
            unchained: self.store.list(&keys::audits(&self.group)).await?.len(),
            now_ms: now_ms(&*self.store).await?,
            kept_ms: KEPT.as_millis() as u64,
        })
    }
}

fn read_all<T: serde::de::DeserializeOwned>(what: &'static str, entries: &[Entry]) -> Result<Vec<T>, GroupError> {
    entries.iter().map(|entry| keys::read(what, entry)).collect()
}

/// The place of an entry in its rollout's log, as versions before the chain wrote it.
pub(crate) fn serial(entry: &AuditEntry, index: usize) -> String {
    format!("r{:06}-{index:05}", entry.rollout)
}
