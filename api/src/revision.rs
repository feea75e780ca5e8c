//! Revisions of a group.

use std::collections::BTreeMap;

use flotilla_flows::{Change, NodeSettings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Who gave a revision to a group, when and why. The last time counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Given {
    /// The revision's id.
    pub id: String,
    /// Milliseconds since the epoch, on the store's clock.
    pub time_ms: u64,
    /// Who.
    pub actor: String,
    /// Why.
    pub message: String,
    /// Entries of the flow document.
    pub nodes: usize,
}

/// `GET /api/v1/groups/{group}/revisions/{id}`. Credentials are never shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RevisionContent {
    /// The revision's id.
    pub id: String,
    /// The flow document.
    pub flows: Value,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Settings under Node-RED's names.
    pub settings: Map<String, Value>,
    /// Why it was made.
    pub message: String,
    /// True when it has credentials.
    pub has_credentials: bool,
    /// Group settings by node id.
    #[serde(default)]
    pub nodes: BTreeMap<String, NodeSettings>,
    /// Keys that it needs and that have no value yet.
    #[serde(default)]
    pub missing: Vec<String>,
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its value differs.
    Changed,
}

/// `GET /api/v1/groups/{group}/revisions/{from}/diff/{to}`: names of keys, never values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RevisionDiff {
    /// Entries of the flow document that differ.
    pub nodes: Vec<Change>,
    /// Environment variables.
    pub env: BTreeMap<String, KeyChange>,
    /// Settings.
    pub settings: BTreeMap<String, KeyChange>,
    /// Credentials by `NODE.FIELD`.
    pub credentials: BTreeMap<String, KeyChange>,
    /// Group settings by node id.
    pub node_settings: BTreeMap<String, KeyChange>,
}

impl RevisionDiff {
    /// True when nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == RevisionDiff::default()
    }

    /// In one line, for people.
    pub fn summary(&self) -> String {
        let keys = |what: &str, keys: &BTreeMap<String, KeyChange>| {
            let names: Vec<&str> = keys.keys().map(String::as_str).collect();
            (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
        };
        let nodes = (!self.nodes.is_empty()).then(|| format!("{} nodes of the flow", self.nodes.len()));
        let parts = [
            nodes,
            keys("env", &self.env),
            keys("settings", &self.settings),
            keys("credentials", &self.credentials),
            keys("settings of nodes", &self.node_settings),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
    }
}

/// `POST /api/v1/groups/{group}/revisions/copy`: gives a group a revision of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// The group to copy from.
    pub from: String,
    /// The revision, or its first digits.
    pub revision: String,
    /// The key of the group it comes from, when it is not this gateway's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_key: Option<String>,
    /// The key of the group it goes to, when it is not this gateway's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Sent by clients of 0.1.0 and ignored: who it was is known from the credential.
    #[serde(default, skip_serializing)]
    pub actor: String,
}

/// The answer to a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Copied {
    /// The revision's id in the group that got it.
    pub revision: String,
    /// Keys that have no value in that group yet: they have to be set before it can be rolled out.
    #[serde(default)]
    pub missing: Vec<String>,
}
