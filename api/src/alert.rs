//! Alerts: what is wrong with a group, told to somebody.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// A replica went away without leaving its group.
    ReplicaCrashed,
    /// A worker of a replica is busy with one message for too long.
    ReplicaHangs,
    /// A rollout was halted, and the group runs what it ran before.
    RolloutHalted,
    /// The flow is not connected to what it takes work from or hands it to.
    SourceDisconnected,
    /// The oldest work waits for too long.
    Backlog,
    /// Messages failed for good.
    DeadLetters,
    /// A replica has used most of its memory for some time.
    Memory,
    /// The store does not answer.
    StoreAway,
}

/// When alerts are raised, and where they are sent. A threshold of 0 switches its alert off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlertRules {
    /// Where alerts are POSTed as JSON: `http://...` or `https://...`; empty: they are only kept and shown.
    pub webhook: String,
    /// A replica went away without leaving.
    pub replica_crashed: bool,
    /// Seconds for which a worker is busy with one message.
    pub replica_hangs_s: u64,
    /// A rollout was halted.
    pub rollout_halted: bool,
    /// Seconds for which a connection of the flow is not there.
    pub source_disconnected_s: u64,
    /// Seconds for which the oldest work waits.
    pub backlog_s: u64,
    /// So many dead letters are in the box.
    pub dead_letters: u64,
    /// Percent of the memory that a replica may have.
    pub memory_percent: u64,
    /// Seconds for which it has used that much.
    pub memory_s: u64,
    /// Seconds for which the store does not answer.
    pub store_away_s: u64,
}

/// An alert. What is POSTed is the same, with its header `Flotilla-Signature`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// Unique; its end has the same.
    pub id: String,
    /// The group.
    pub group: String,
    /// What it is about.
    pub kind: AlertKind,
    /// What it is about in particular: a replica, a connection, a rollout. One alert at a time for each.
    pub cause: String,
    /// What is wrong, for people.
    pub text: String,
    /// How many replicas were ready before this one crashed: it ends when as many are again, or as many as the group is to
    /// have. 0 for all other kinds.
    #[serde(default, skip_serializing_if = "crate::omit::is_default")]
    pub ready_before: usize,
    /// Since when, milliseconds since the epoch.
    pub since_ms: u64,
    /// When it ended; none while it lasts.
    #[serde(default)]
    pub ended_ms: Option<u64>,
    /// It is no alert: somebody tests the way to here.
    #[serde(default)]
    pub test: bool,
}

/// The alerts of a group. `GET /api/v1/groups/{group}/alerts`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Alerts {
    /// Those that last, the oldest first.
    pub active: Vec<Alert>,
    /// Those that ended, the newest first.
    pub ended: Vec<Alert>,
    /// What was not taken by the webhook yet, and why.
    pub unsent: Vec<Unsent>,
    /// Ids of those that were raised without a webhook: it is told of them when there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<String>,
}

/// An alert, or its end, that the webhook has not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unsent {
    /// As it will be sent.
    pub alert: Alert,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried again, milliseconds since the epoch.
    pub next_ms: u64,
    /// What went wrong the last time.
    pub error: String,
}

/// How a test went. `POST /api/v1/groups/{group}/alerts/test`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertTest {
    /// Where it was sent.
    pub webhook: String,
    /// The status of the answer.
    pub status: u16,
    /// It was signed.
    pub signed: bool,
}

impl Default for AlertRules {
    fn default() -> AlertRules {
        AlertRules {
            webhook: String::new(),
            replica_crashed: true,
            replica_hangs_s: 10,
            rollout_halted: true,
            source_disconnected_s: 30,
            backlog_s: 60,
            dead_letters: 1,
            memory_percent: 75,
            memory_s: 300,
            store_away_s: 10,
        }
    }
}

impl AlertKind {
    /// All kinds.
    pub const ALL: [AlertKind; 8] = [
        AlertKind::ReplicaCrashed,
        AlertKind::ReplicaHangs,
        AlertKind::RolloutHalted,
        AlertKind::SourceDisconnected,
        AlertKind::Backlog,
        AlertKind::DeadLetters,
        AlertKind::Memory,
        AlertKind::StoreAway,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            AlertKind::ReplicaCrashed => "replica-crashed",
            AlertKind::ReplicaHangs => "replica-hangs",
            AlertKind::RolloutHalted => "rollout-halted",
            AlertKind::SourceDisconnected => "source-disconnected",
            AlertKind::Backlog => "backlog",
            AlertKind::DeadLetters => "dead-letters",
            AlertKind::Memory => "memory",
            AlertKind::StoreAway => "store-away",
        }
    }
}

impl std::fmt::Display for AlertKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
