//! What a decision about placement is made from.

use std::collections::BTreeSet;

use flotilla_api::placement::{AgentBinary, HostFacts, PlacementSpec};
use flotilla_api::replica::ReplicaRecord;

/// What a decision about placement is made from, besides the document.
#[derive(Clone, Debug, Default)]
pub struct PlacementView {
    /// The store's clock, milliseconds since the epoch.
    pub now_ms: u64,
    /// The hosts, by name.
    pub hosts: Vec<HostSeen>,
    /// The groups whose replicas hosts run.
    pub groups: Vec<GroupSeen>,
    /// True while who decides can tell dead hosts from an outage of its own.
    pub may_judge: bool,
    /// By which rules.
    pub rules: PlacementRules,
}

/// A host.
#[derive(Clone, Debug, Default)]
pub struct HostSeen {
    /// What its agent said when it started.
    pub facts: HostFacts,
    /// Its agent holds the lease on its name.
    pub alive: bool,
    /// The groups whose replicas it takes: those that its owner owns, or that of `up`; `None`: all.
    pub takes: Option<BTreeSet<String>>,
    /// What its agent says of binaries.
    pub binary: AgentBinary,
}

/// A group.
#[derive(Clone, Debug, Default)]
pub struct GroupSeen {
    /// The name.
    pub name: String,
    /// How many replicas it wants.
    pub wanted: usize,
    /// What it asks of hosts.
    pub placement: PlacementSpec,
    /// A rollout moves its replicas: nothing else does.
    pub rolling: bool,
    /// Another process has the lease on moving its replicas: none of them leaves now.
    pub locked: bool,
    /// Its replicas take no work.
    pub paused: bool,
    /// Members whose replica is ready on the host of its place.
    pub ready: BTreeSet<u64>,
    /// What its replicas say of themselves.
    pub replicas: Vec<ReplicaRecord>,
}

/// By which rules members are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacementRules {
    /// How long a host may be lost before its members are placed elsewhere, in milliseconds.
    pub replace_after_ms: u64,
    /// How long a member that was placed may take to be ready before others are moved all the same, in milliseconds.
    pub start_ms: u64,
}

impl Default for PlacementRules {
    fn default() -> PlacementRules {
        PlacementRules { replace_after_ms: 60_000, start_ms: 120_000 }
    }
}
