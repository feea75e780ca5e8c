//! One line of the audit log.

use serde::{Deserialize, Serialize};

/// One change: time, actor, what, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Milliseconds since the epoch, on the store's clock.
    pub time_ms: u64,
    /// Who: a user, or the process that holds the upgrade lease.
    pub actor: String,
    /// What: for example `deploy`, `replica-moves`, `rollout-halts`.
    pub action: String,
    /// The replica, when it is about one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub replica: String,
    /// The revision, when it is about one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The fencing token of the upgrade lease under which it was done; 0 for what a user did.
    #[serde(default)]
    pub token: u64,
    /// The rollout's number; 0 when it is not of a rollout.
    #[serde(default)]
    pub rollout: u64,
}
