//! One finding.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::NodeConfig;
use crate::problem::Severity;

/// What one node does differently at several replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Which rule found it, stable: for example `local-state`.
    pub code: Cow<'static, str>,
    /// The node's id.
    pub node: String,
    /// The node's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The node's name, or empty.
    pub name: String,
    /// The tab's (or subflow's) name.
    pub tab: String,
    /// What happens.
    pub what: String,
    /// What to do.
    pub advice: String,
}

/// What a rule says of a node.
#[derive(Clone)]
pub(super) struct Says {
    pub(super) severity: Severity,
    pub(super) code: &'static str,
    pub(super) what: String,
    pub(super) advice: String,
}

impl Says {
    pub(super) fn new(severity: Severity, code: &'static str, what: &str, advice: &str) -> Says {
        Says { severity, code, what: what.to_owned(), advice: advice.to_owned() }
    }

    pub(super) fn of(self, node: &NodeConfig, tab: &str) -> Finding {
        Finding {
            severity: self.severity,
            code: Cow::Borrowed(self.code),
            node: node.id.clone(),
            kind: node.kind.clone(),
            name: node.name.clone(),
            tab: tab.to_owned(),
            what: self.what,
            advice: self.advice,
        }
    }
}
