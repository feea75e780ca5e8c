//! Deploys and rollbacks.

use std::collections::BTreeMap;

use flotilla_flows::{Effects, Finding, NodeSettings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::revision::RevisionDiff;
use crate::rollout::{Rollout, Rules};

/// `POST /api/v1/groups/{group}/deploy`: what is not given stays as the group has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// The flow document, as exported.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub flows: Value,
    /// The revision that this is a change of, or its first digits: refused when the group runs another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The content of a credentials file, plain or encrypted: replaces all credentials.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub credentials: Value,
    /// Node-RED's credentialSecret, when the credentials are encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_secret: Option<String>,
    /// Credentials by `NODE.FIELD` to set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set_credentials: BTreeMap<String, String>,
    /// Credentials to remove: `NODE.FIELD`, or `NODE` for all of a node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset_credentials: Vec<String>,
    /// Environment variables: replaces all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// Environment variables to set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set_env: BTreeMap<String, String>,
    /// Environment variables to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset_env: Vec<String>,
    /// Secrets of the group to set: they are not part of the revision.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set_secrets: BTreeMap<String, String>,
    /// Settings under Node-RED's names: replaces all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Map<String, Value>>,
    /// Settings to set.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub set_settings: Map<String, Value>,
    /// Settings to remove.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset_settings: Vec<String>,
    /// Group settings by node id: those of a node replace what it had; empty ones remove it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set_nodes: BTreeMap<String, NodeSettings>,
    /// The flow's tests, the content of the file for `flotilla test`: kept with the revision. Without them those of the
    /// revision before stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<String>,
    /// The group takes flows from its pipeline only; this deploy all the same.
    #[serde(default, skip_serializing_if = "crate::omit::is_default")]
    pub override_protection: bool,
    /// Why, for the list of revisions and the audit log.
    #[serde(default)]
    pub message: String,
    /// Sent by clients of 0.1.0 and ignored: who it was is known from the credential.
    #[serde(default, skip_serializing)]
    pub actor: String,
    /// Nodes of unknown types swallow messages instead of being a reason to refuse.
    #[serde(default)]
    pub allow_unknown: bool,
    /// The rules of the rollout; without them the group's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
}

/// `POST /api/v1/groups/{group}/rollback`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The revision, or its first digits; without it the good one before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Sent by clients of 0.1.0 and ignored: who it was is known from the credential.
    #[serde(default, skip_serializing)]
    pub actor: String,
    /// The rules of the rollout; without them the group's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Rules>,
    /// The group takes flows from its pipeline only; this rollback all the same.
    #[serde(default, skip_serializing_if = "crate::omit::is_default")]
    pub override_protection: bool,
}

/// The answer to a deploy or a rollback: a rollout has begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Begun {
    /// The revision that the group goes to.
    pub revision: String,
    /// The rollout.
    pub rollout: Rollout,
    /// What the review finds in the flow document.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// `POST /api/v1/groups/{group}/deploy/dry-run`: what a deploy would do. Nothing is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DryRun {
    /// The revision that runs.
    pub base: Option<String>,
    /// The revision that the deploy would make.
    pub revision: String,
    /// What differs between them.
    pub diff: RevisionDiff,
    /// What happens in each replica.
    pub effects: Effects,
    /// What the review finds that it did not find in the base.
    pub findings: Vec<Finding>,
    /// Keys that have no value yet: the deploy would be refused.
    pub missing: Vec<String>,
}
