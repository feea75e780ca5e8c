//! Deploys and rollbacks.

use std::collections::BTreeMap;

use flotilla_flows::Finding;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::rollout::{Rollout, Rules};

/// `POST /api/v1/groups/{group}/deploy`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The flow document, as exported.
    pub flows: Value,
    /// The content of the credentials file, plain or encrypted.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub credentials: Value,
    /// Node-RED's credentialSecret, when the credentials are encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_secret: Option<String>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Settings under Node-RED's names.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// Why, for the list of revisions and the audit log.
    #[serde(default)]
    pub message: String,
    /// Who, for the audit log.
    #[serde(default)]
    pub actor: String,
    /// Nodes of unknown types swallow messages instead of being a reason to refuse.
    #[serde(default)]
    pub allow_unknown: bool,
    /// The rules of the rollout; without them the group's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
}

/// `POST /api/v1/groups/{group}/rollback`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The revision, or its first digits; without it the good one before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Who, for the audit log.
    #[serde(default)]
    pub actor: String,
    /// The rules of the rollout; without them the group's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
}

/// The answer to a deploy or a rollback: a rollout has begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// The revision that the group goes to.
    pub revision: String,
    /// The rollout.
    pub rollout: Rollout,
    /// What the review finds in the flow document.
    #[serde(default)]
    pub findings: Vec<Finding>,
}
