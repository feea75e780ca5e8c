//! Revisions of a group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Who gave a revision to a group, when and why. The last time counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

/// `POST /api/v1/groups/{group}/revisions/copy`: gives a group a revision of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Who, for the audit log.
    #[serde(default)]
    pub actor: String,
}

/// The answer to a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// The revision's id in the group that got it.
    pub revision: String,
}
