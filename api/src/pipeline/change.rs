//! What users ask of a pipeline.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `POST /api/v1/pipelines/{name}/runs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewRun {
    /// The stage that it begins at; without one the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The stage that it ends with; without one the last, or the first whose action is `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The snapshot of the first stage that goes on: its number or name. For the action `prompt` there must be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// Why.
    pub message: String,
    /// Names what it is for, in at most 64 of a-z A-Z 0-9 . _ -: a second request with the same name answers the run of the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
}

/// `POST /api/v1/pipelines/{name}/runs/{number}/{approve|reject|cancel}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Verdict {
    /// Why.
    pub why: String,
}

/// `PUT /api/v1/pipelines/{name}/stages/{stage}/token`: what a group of another installation is reached with. It is kept
/// sealed with the gateway's group key, and never shown.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageToken {
    /// A token of a user there who may deploy to the group.
    pub token: String,
}
