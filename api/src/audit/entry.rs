//! One line of the audit log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One change: time, actor, what, why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// The place in the chain: 1 is the first; 0 for what is in none (yet).
    #[serde(default, skip_serializing_if = "crate::omit::is_default")]
    pub seq: u64,
    /// Milliseconds since the epoch, on the store's clock.
    pub time_ms: u64,
    /// Who: a user, or the process that holds the upgrade lease. Taken from the credential.
    pub actor: String,
    /// How it came: `cli`, `api`, `page`, `editor`, `hook`, `agent`; empty for what a process did by itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// What was shown: `token ci (00c0ffee00c0ffee)`; empty for the gateway's own token.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub credential: String,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
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
    /// How it ended, when it was not done: `refused`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub result: String,
    /// What was there before, where the change is of settings; secrets are `***`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub old: Value,
    /// What is there now, where the change is of settings; secrets are `***`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub new: Value,
    /// The fencing token of the upgrade lease under which it was done; 0 for what a user did.
    #[serde(default)]
    pub token: u64,
    /// The rollout's number; 0 when it is not of a rollout.
    #[serde(default)]
    pub rollout: u64,
}

/// Which entries: the query of `GET .../audit`. What is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditFilter {
    /// Those of this user or process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Those with this action: `deploy`, `refused`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Those from this time on, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// Those before this time, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// Those behind this place in the chain: the cursor of whoever reads on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// At most so many, the first ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl AuditFilter {
    /// The entries that are meant, in their order.
    pub fn of(&self, entries: Vec<AuditEntry>) -> Vec<AuditEntry> {
        let is = |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|wanted| wanted == has);
        let fits = |entry: &AuditEntry| {
            is(&self.user, &entry.actor)
                && is(&self.event, &entry.action)
                && self.since_ms.is_none_or(|since| entry.time_ms >= since)
                && self.until_ms.is_none_or(|until| entry.time_ms < until)
                && self.after.is_none_or(|after| entry.seq > after)
        };
        entries.into_iter().filter(fits).take(self.limit.unwrap_or(usize::MAX)).collect()
    }
}

/// Who asked for something, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// Who.
    pub actor: String,
    /// How: see [`AuditEntry::source`].
    pub source: String,
    /// With what: see [`AuditEntry::credential`].
    pub credential: String,
    /// From where: see [`AuditEntry::address`].
    pub address: String,
}

impl Origin {
    /// An entry about something that was asked for; its time is set when it is written.
    pub fn entry(&self, action: &str, why: impl Into<String>) -> AuditEntry {
        AuditEntry {
            actor: self.actor.clone(),
            source: self.source.clone(),
            credential: self.credential.clone(),
            address: self.address.clone(),
            action: action.to_owned(),
            why: why.into(),
            ..AuditEntry::default()
        }
    }
}

impl From<&str> for Origin {
    fn from(actor: &str) -> Origin {
        Origin { actor: actor.to_owned(), ..Origin::default() }
    }
}
