//! What two people changed in different ways.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::document::NodeConfig;

/// What two people changed in different ways. It is for a person to decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The node's id.
    pub node: String,
    /// The node's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The node's name, or empty.
    pub name: String,
    /// The tab's (or subflow's) name, or empty.
    pub tab: String,
    /// The field that both changed; empty when it is about the whole node.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// What both did.
    pub what: String,
}

impl Conflict {
    pub(super) fn new(entry: &NodeConfig, tab: &str, field: &str, what: &str) -> Conflict {
        Conflict {
            node: entry.id.clone(),
            kind: entry.kind.clone(),
            name: entry.name.clone(),
            tab: tab.to_owned(),
            field: field.to_owned(),
            what: what.to_owned(),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.name.is_empty() {
            write!(f, " \"{}\"", self.name)?;
        }
        write!(f, " ({})", self.node)?;
        if !self.tab.is_empty() {
            write!(f, " on tab \"{}\"", self.tab)?;
        }
        if self.field.is_empty() { write!(f, ": {}", self.what) } else { write!(f, ", {}: {}", self.field, self.what) }
    }
}
