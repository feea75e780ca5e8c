//! What works in a replica, and what does not.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::replica::{ReplicaRecord, ReplicaState};

/// What works in a replica, and what does not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ReplicaHealth {
    /// Nodes that do not work: at most [`ReplicaHealth::PROBLEMS`].
    pub problems: Vec<NodeProblem>,
    /// How many nodes do not work.
    pub broken: usize,
    /// What the flow is connected to, or should be.
    pub sources: Vec<Source>,
    /// Deliveries begun since the process started.
    pub begun: u64,
    /// For how long the oldest open delivery has been open, milliseconds; in steps of a second.
    pub oldest_ms: u64,
    /// For how long a worker has been busy with one message, milliseconds.
    pub busy_ms: u64,
    /// The longest that a worker was busy with one message since the last deploy, milliseconds.
    pub longest_ms: u64,
}

/// A node that does not work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeProblem {
    /// The node's id.
    pub node: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name, or empty.
    pub name: String,
    /// The tab's name.
    pub tab: String,
    /// Why it does not work.
    pub message: String,
}

/// A connection that the flow needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The node that has it.
    pub node: String,
    /// Where it goes to: `mqtt://127.0.0.1:1883`.
    pub name: String,
    /// It is there.
    pub connected: bool,
    /// Why not, when it was tried and failed.
    #[serde(default)]
    pub reason: String,
    /// For how long it has not been there, milliseconds.
    #[serde(default)]
    pub away_ms: u64,
}

impl ReplicaHealth {
    /// Problems in a record at most.
    pub const PROBLEMS: usize = 20;

    /// The connections that are not there.
    pub fn lost(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| !source.connected)
    }

    /// In one line what does not work; `None` when all does.
    pub fn trouble(&self) -> Option<String> {
        let mut parts: Vec<String> = self.lost().map(Source::to_string).collect();
        if let Some(first) = self.problems.first() {
            let more = self.broken.saturating_sub(1);
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            parts.push(format!("{first}{more}"));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// A group in one line: `3 ready, 3 not connected to mqtt://127.0.0.1:1883`.
pub fn summary<'a>(replicas: impl Iterator<Item = &'a ReplicaRecord>) -> String {
    let (mut ready, mut all, mut broken) = (0usize, 0usize, 0usize);
    let mut lost: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for replica in replicas {
        all += 1;
        ready += usize::from(replica.state == ReplicaState::Ready);
        broken += usize::from(replica.health.broken > 0);
        for source in replica.health.lost() {
            lost.entry(&source.name).or_default().insert(&replica.id);
        }
    }
    let mut parts = vec![if ready == all { format!("{ready} ready") } else { format!("{ready} of {all} ready") }];
    parts.extend(lost.iter().map(|(name, replicas)| format!("{} not connected to {name}", replicas.len())));
    if broken > 0 {
        parts.push(format!("{broken} with nodes that do not work"));
    }
    parts.join(", ")
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = if self.connected { "connected" } else { "not connected" };
        write!(f, "{how} to {}", self.name)?;
        if self.connected || self.reason.is_empty() { Ok(()) } else { write!(f, ": {}", self.reason) }
    }
}

impl std::fmt::Display for NodeProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let NodeProblem { node, kind, name, tab, message } = self;
        let name = if name.is_empty() { node } else { name };
        write!(f, "{kind} node \"{name}\" on tab \"{tab}\" does not work: {message}")
    }
}
