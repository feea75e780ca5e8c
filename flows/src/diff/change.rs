//! One difference.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its properties differ: it restarts.
    Changed,
    /// Only its place in the editor or its wires differ: it goes on.
    Moved,
}

/// One difference between two flow documents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The tab's (or subflow's) name; empty for config nodes and tabs themselves.
    pub tab: String,
    /// What became of it.
    pub kind: Kind,
    /// The node's type.
    #[serde(rename = "type")]
    pub node_type: String,
    /// The node's name, or its id when it has none.
    pub name: String,
    /// The node's id.
    pub id: String,
    /// The properties that differ.
    pub fields: Vec<String>,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
            Kind::Moved => "moved",
        })
    }
}
