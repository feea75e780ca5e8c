//! What the nodes of a group's flow do: counts, errors, statuses.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a node shows below itself in the editor.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NodeStatus {
    /// The colour: `red`, `green`, `yellow`, `blue`, `grey`, or empty.
    pub fill: String,
    /// `dot`, `ring`, or empty.
    pub shape: String,
    /// The text.
    pub text: String,
}

/// What a node did since it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NodeCounts {
    /// Messages that it was handed.
    pub received: u64,
    /// Messages that it sent.
    pub sent: u64,
    /// Errors that it reported, caught or not.
    pub errors: u64,
    /// How long it was busy with messages, microseconds; estimated from one message in sixteen.
    pub busy_us: u64,
}

/// Who a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NodeId {
    /// Its id; inside a subflow instance that is of this instance.
    pub node: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name, or empty.
    pub name: String,
    /// The id of its tab; empty for global config nodes.
    pub tab: String,
    /// The tab's name.
    pub tab_label: String,
    /// Where it is, `tab/instance/.../id`.
    pub path: String,
    /// It is a config node.
    pub config: bool,
}

/// A node in one replica.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ReplicaNode {
    /// Who it is.
    #[serde(flatten)]
    pub id: NodeId,
    /// What it did.
    #[serde(flatten)]
    pub counts: NodeCounts,
    /// What it shows.
    pub status: Option<NodeStatus>,
    /// Since when, milliseconds since the epoch.
    pub status_since_ms: u64,
    /// Why it does not work.
    pub problem: Option<String>,
}

/// A node in the whole group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GroupNode {
    /// Who it is.
    #[serde(flatten)]
    pub id: NodeId,
    /// What it did in all replicas that answered.
    #[serde(flatten)]
    pub counts: NodeCounts,
    /// The replicas that have it.
    pub replicas: Vec<String>,
    /// What it shows, and where; the status of most replicas first. Replicas where it shows nothing are in none.
    pub statuses: Vec<MergedStatus>,
    /// Why it does not work, by replica.
    pub problems: BTreeMap<String, String>,
}

/// A status that some replicas have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MergedStatus {
    /// The status.
    pub status: NodeStatus,
    /// The replicas where the node shows it.
    pub replicas: Vec<String>,
}

/// A replica that did not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unanswered {
    /// Its id.
    pub replica: String,
    /// What came instead of an answer.
    pub reason: String,
}

/// The nodes of a group. `GET /api/v1/groups/{group}/nodes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupNodes {
    /// The nodes, in the flow document's order.
    pub nodes: Vec<GroupNode>,
    /// The replicas that answered.
    pub answered: Vec<String>,
    /// Those that did not: what they have is not in `nodes`.
    pub unanswered: Vec<Unanswered>,
}

/// What is injected. `POST /api/v1/groups/{group}/nodes/{node}/inject`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Inject {
    /// The payload in place of the configured one.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub payload: Option<serde_json::Value>,
    /// The replica that does it, or `each`; empty: any that is ready.
    pub replica: String,
}

/// `null` is a payload, too.
fn given<'de, D: serde::Deserializer<'de>>(payload: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(payload).map(Some)
}

/// Where something was injected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Injected {
    /// The node's id.
    pub node: String,
    /// The replicas that did it.
    pub replicas: Vec<String>,
    /// Those that did not answer.
    pub unanswered: Vec<Unanswered>,
}

impl NodeId {
    /// Its name, or its id when it has none.
    pub fn shown(&self) -> &str {
        if self.name.is_empty() { &self.node } else { &self.name }
    }
}

impl GroupNodes {
    /// One view of what replicas say of their nodes.
    pub fn merge(all: Vec<(String, Vec<ReplicaNode>)>, unanswered: Vec<Unanswered>) -> GroupNodes {
        let answered = all.iter().map(|(replica, _)| replica.clone()).collect();
        let (mut nodes, mut places): (Vec<GroupNode>, BTreeMap<String, usize>) = Default::default();
        for (replica, of_replica) in all {
            for node in of_replica {
                let at = *places.entry(node.id.node.clone()).or_insert_with(|| {
                    nodes.push(GroupNode { id: node.id.clone(), ..GroupNode::default() });
                    nodes.len() - 1
                });
                nodes[at].add(&replica, node);
            }
        }
        for node in &mut nodes {
            node.statuses.sort_by_key(|merged| usize::MAX - merged.replicas.len());
        }
        GroupNodes { nodes, answered, unanswered }
    }
}

impl GroupNode {
    fn add(&mut self, replica: &str, node: ReplicaNode) {
        self.counts.received += node.counts.received;
        self.counts.sent += node.counts.sent;
        self.counts.errors += node.counts.errors;
        self.counts.busy_us += node.counts.busy_us;
        self.replicas.push(replica.to_owned());
        if let Some(problem) = node.problem {
            self.problems.insert(replica.to_owned(), problem);
        }
        let Some(status) = node.status else { return };
        match self.statuses.iter_mut().find(|merged| merged.status == status) {
            Some(merged) => merged.replicas.push(replica.to_owned()),
            None => self.statuses.push(MergedStatus { status, replicas: vec![replica.to_owned()] }),
        }
    }

    /// Its status in one line: `3 connected`, or `2 connected; plant-3: disconnected`. Empty when it shows nothing.
    pub fn status(&self) -> String {
        let with = self.statuses.iter().map(|merged| merged.replicas.len()).sum::<usize>();
        let silent = self.replicas.len() - with;
        let mut parts: Vec<String> = Vec::new();
        for (at, merged) in self.statuses.iter().enumerate() {
            let differs = at > 0 || (self.statuses.len() > 1 && merged.replicas.len() == 1);
            parts.push(match differs {
                true => format!("{}: {}", merged.replicas.join(", "), merged.status),
                false => format!("{} {}", merged.replicas.len(), merged.status),
            });
        }
        if with > 0 && silent > 0 {
            parts.push(format!("{silent} without a status"));
        }
        parts.join("; ")
    }
}

impl std::fmt::Display for NodeStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.text.is_empty(), self.fill.is_empty()) {
            (false, _) => f.write_str(&self.text),
            (true, false) => write!(f, "({})", self.fill),
            (true, true) => f.write_str("(no text)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str, received: u64) -> ReplicaNode {
        let status = (!text.is_empty()).then(|| NodeStatus { text: text.to_owned(), ..NodeStatus::default() });
        let id = NodeId { node: "n".to_owned(), ..NodeId::default() };
        ReplicaNode { id, counts: NodeCounts { received, ..NodeCounts::default() }, status, ..ReplicaNode::default() }
    }

    fn merged(texts: &[&str]) -> GroupNode {
        let all = texts.iter().enumerate().map(|(at, text)| (format!("r{at}"), vec![node(text, 2)])).collect();
        GroupNodes::merge(all, Vec::new()).nodes.remove(0)
    }

    #[test]
    fn equal_statuses_are_one_and_others_are_named() {
        assert_eq!(merged(&["connected"; 3]).status(), "3 connected");
        assert_eq!(merged(&["connected", "away", "connected"]).status(), "2 connected; r1: away");
        assert_eq!(merged(&["a", "b"]).status(), "r0: a; r1: b");
        assert_eq!(merged(&["connected", ""]).status(), "1 connected; 1 without a status");
        assert_eq!(merged(&["", ""]).status(), "");
        assert_eq!(merged(&["", ""]).counts.received, 4);
    }
}
