//! Hosts: machines with an agent that starts and watches replicas.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::upgrade::AgentBinary;

/// What an agent says of its machine when it starts; it lasts beyond the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostFacts {
    /// The name: 1 to 64 of a-z A-Z 0-9 . _ -
    pub name: String,
    /// The zone that it is in; empty: not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub zone: String,
    /// The rack that it is in; empty: not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rack: String,
    /// What groups may ask for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// So many replicas at most; `None`: no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_replicas: Option<u32>,
    /// The user whose host it is; empty: the administrators'.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// That user's id: it tells another one who got the name later.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner_id: String,
    /// The group of the `flotilla up` that is this host's agent; empty: `flotilla agent`. `up` starts replicas of no other group,
    /// and neither it nor they become another binary.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub own_group: String,
}

/// What an agent says of its machine with each sign of life.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostLoad {
    /// The agent's version of Flotilla.
    pub version: String,
    /// When the agent started, milliseconds since the epoch.
    pub started_ms: u64,
    /// Memory of the machine, in bytes.
    pub memory: u64,
    /// What of it can still be had, in bytes.
    pub memory_available: u64,
    /// Processes that want to run, averaged over a minute.
    pub load: f64,
    /// Processors.
    pub processors: usize,
    /// The fingerprint of the group's key that the agent is started with next; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Which binary it runs, and which others it has.
    #[serde(default)]
    pub binary: AgentBinary,
    /// Grows with each sign of life.
    pub beat: u64,
}

/// A host as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// What its agent said when it started.
    #[serde(flatten)]
    pub facts: HostFacts,
    /// True while its agent holds the lease on the host's name.
    pub alive: bool,
    /// True while users want no replicas on it.
    pub drained: bool,
    /// Since when its agent gives no sign of life, milliseconds of the store's clock; `None` while it does, and before that
    /// was noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_since_ms: Option<u64>,
    /// The last sign of life; `None` while there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<HostLoad>,
    /// The members that are placed on it: `GROUP-NUMBER`.
    pub members: Vec<String>,
}
