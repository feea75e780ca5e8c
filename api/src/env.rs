//! Environment variables of a group.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One variable. `GET /api/v1/groups/{group}/env` answers them by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value; none for a secret.
    pub value: Option<String>,
    /// It is the group's secret, not part of a revision.
    pub secret: bool,
}

/// `PUT /api/v1/groups/{group}/env/secrets`: sets and removes secrets of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretChange {
    /// Values by name.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Names to remove.
    #[serde(default)]
    pub unset: Vec<String>,
    /// Sent by clients of 0.1.0 and ignored: who it was is known from the credential.
    #[serde(default, skip_serializing)]
    pub actor: String,
}

/// The answer to a change of secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SecretsChanged {
    /// The number of the rollout that restarts what names them; none while the group has no revision.
    pub rollout: Option<u64>,
}
