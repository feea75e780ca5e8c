//! The audit log, with what a rollout logged and nobody copied yet.

use std::collections::BTreeMap;

use super::states::DesiredStates;
use crate::audit::{AuditEntry, AuditLog, serial};
use crate::error::GroupError;
use crate::keys;

impl AuditLog {
    /// The entries, oldest first. Those of the last rollout come from its own log where they were not copied yet.
    pub async fn list(&self) -> Result<Vec<AuditEntry>, GroupError> {
        let state = match self.group.as_str() {
            "" => None,
            group => DesiredStates::new(self.store.clone(), group)?.load().await?,
        };
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
