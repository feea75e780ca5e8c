//! What a replica says of itself.

use std::fmt;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::health::ReplicaHealth;

/// Where a replica is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReplicaState {
    /// It loads its revision.
    #[default]
    Starting,
    /// It takes work.
    Ready,
    /// It finishes what is in flight and takes nothing new.
    Draining,
    /// It cannot run its revision.
    Failed,
}

/// A replica's record in the store, renewed with its lease.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReplicaRecord {
    /// Unique among all living replicas.
    pub id: String,
    /// The group it is in; empty while it is in none.
    pub group: String,
    /// The host that it runs on; empty when it was not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// Where it is in its life.
    pub state: ReplicaState,
    /// Why, when it failed or is not ready.
    pub reason: String,
    /// The revision it runs; empty before the first.
    pub revision: String,
    /// Where its flows' HTTP server listens.
    pub http: Option<SocketAddr>,
    /// Where `/livez`, `/readyz` and `/metrics` are.
    pub ops: Option<SocketAddr>,
    /// The process.
    pub pid: u32,
    /// The version of Flotilla.
    pub version: String,
    /// When the process started, milliseconds since the epoch.
    pub started_ms: u64,
    /// Deliveries open now.
    pub in_flight: u64,
    /// Deliveries completed since start.
    pub completed: u64,
    /// Deliveries failed since start.
    pub failed: u64,
    /// Deliveries abandoned since start.
    pub abandoned: u64,
    /// What works and what does not.
    #[serde(default)]
    pub health: ReplicaHealth,
    /// The fingerprint of the group's key that it is started with next; empty: none.
    #[serde(default)]
    pub key: String,
    /// Resident memory in bytes.
    pub memory: u64,
    /// The memory that the process may have, in bytes: that of its container, else of the machine; 0 when it is not known.
    #[serde(default)]
    pub memory_limit: u64,
    /// Grows with each renewal: a sign of life.
    pub beat: u64,
}

impl fmt::Display for ReplicaState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ReplicaState::Starting => "starting",
            ReplicaState::Ready => "ready",
            ReplicaState::Draining => "draining",
            ReplicaState::Failed => "failed",
        })
    }
}
