//! A revision goes to a group of another installation: its flows and settings, and names of what it needs a value for.

use std::collections::BTreeMap;

use flotilla_flows::NodeSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::rollout::{Member, Phase};

/// `GET /api/v1/groups/{group}/revisions/{id}/transfer`: what of a revision goes to another group. No value of env and no
/// credential is in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransferContent {
    /// The flow document.
    pub flows: Value,
    /// Settings under Node-RED's names.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// Group settings by node id: those of the group that it comes to win.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, NodeSettings>,
    /// What it needs a value for: `env NAME` and `credentials NODE.FIELD`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// The flow's tests, the content of their file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<String>,
}

/// `POST /api/v1/groups/{group}/transfer` and `.../transfer/dry-run`: brings a revision of another installation. Values of env,
/// secrets and credentials stay the group's own; what it has no value for is refused (`missing_keys`) until it has one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// What comes.
    pub content: TransferContent,
    /// Settings that stay the group's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_settings: Vec<String>,
    /// Names this transfer, in 1 to 200 of a-z A-Z 0-9 . _ / : - and blanks: a second request of the same user with the same
    /// name begins nothing and answers what the first began.
    pub id: String,
    /// What began it there, for the audit log.
    #[serde(default)]
    pub why: String,
    /// Why, for the list of revisions.
    #[serde(default)]
    pub message: String,
}

/// The answer to a transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transferred {
    /// The revision that the group goes to.
    pub revision: String,
    /// The number of the rollout; 0: the group ran it already.
    pub rollout: u64,
}

/// `GET /api/v1/groups/{group}/transfer?id=ID`: what a transfer comes to, and how it went.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransferState {
    /// The good revision that the group runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The number of a rollout that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<u64>,
    /// What the transfer of the id began; none: it began nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<TransferProgress>,
}

/// How the rollout of a transfer goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransferProgress {
    /// The revision that came.
    pub revision: String,
    /// The number of the rollout.
    pub rollout: u64,
    /// Where it is; none: other rollouts followed, and the audit log does not say any more how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The revision that the group ran before.
    #[serde(default)]
    pub from: String,
    /// Why it was halted.
    #[serde(default)]
    pub reason: String,
    /// What it waits for now.
    #[serde(default)]
    pub waits_for: String,
    /// Replica by replica; empty when another rollout followed.
    #[serde(default)]
    pub members: Vec<Member>,
}
