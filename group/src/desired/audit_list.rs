//! The audit log, with what a rollout logged and nobody copied yet.

use std::collections::BTreeMap;

use flotilla_api::audit::Sealed;

use super::states::DesiredStates;
use crate::audit::{AuditEntry, AuditLog, entry, serial};
use crate::error::GroupError;
use crate::keys;

impl AuditLog {
    /// The entries, oldest first: those of versions before the chain, the chain, and those of the last rollout that were not
    /// copied yet.
    pub async fn list(&self) -> Result<Vec<AuditEntry>, GroupError> {
        let state = match self.group.as_str() {
            "" => None,
            group => DesiredStates::new(self.store.clone(), group)?.load().await?,
        };
        let mut before = BTreeMap::new();
        for entry in self.store.list(&keys::audits(&self.group)).await? {
            before.insert(entry.key.clone(), keys::read::<AuditEntry>("an audit entry", &entry)?);
        }
        // Read behind the rollout's: what was copied meanwhile is there once.
        let head = self.head().await?.0;
        let mut chain: BTreeMap<u64, Sealed> = head.last.map(|last| (last.seq, last)).into_iter().collect();
        for entry in self.store.list(&keys::audit_all_sealed(&self.group)).await? {
            let sealed: Sealed = keys::read("an audit entry", &entry)?;
            chain.insert(sealed.seq, sealed);
        }
        let rollout = state.and_then(|(state, _)| state.rollout).map(|rollout| rollout.0.log).unwrap_or_default();
        let waiting = rollout.into_iter().enumerate().filter(|(index, entry)| {
            let place = Some((entry.rollout, *index));
            let key = keys::audit(&self.group, entry.time_ms, &serial(entry, *index));
            head.copied < place && !before.contains_key(&key)
        });
        let waiting: Vec<AuditEntry> = waiting.map(|(_, entry)| entry).collect();
        let chain = chain.values().filter_map(|sealed| Some(AuditEntry { seq: sealed.seq, ..entry(sealed)? }));
        Ok(before.into_values().chain(chain).chain(waiting).collect())
    }
}
