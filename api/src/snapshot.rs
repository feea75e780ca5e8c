//! Snapshots: revisions with a name and a description.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A revision with a name. `GET /api/v1/groups/{group}/snapshots` answers them, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// Its number in the group; grows.
    pub id: u64,
    /// Its name; several may have the same.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// The revision.
    pub revision: String,
    /// When it was made, in ms since 1970 on the store's clock.
    pub time_ms: u64,
    /// Who made it.
    pub actor: String,
    /// The run of a pipeline that it was made for, by the run's own id; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
}

/// `POST /api/v1/groups/{group}/snapshots`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSnapshot {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// The revision, or its first digits; without it the one that the group runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Names what it is for, in at most 200 characters: a second request of the same user with the same name answers the
    /// snapshot of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<String>,
}

/// How a snapshot is exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExportAs {
    /// FlowFuse's snapshot, one file.
    #[default]
    Flowfuse,
    /// The flow document alone.
    Flows,
    /// The files of a Node-RED user directory.
    Userdir,
}

/// `POST /api/v1/groups/{group}/snapshots/{id}/export`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Export {
    /// In which form.
    #[serde(rename = "as")]
    pub form: ExportAs,
    /// Credentials and secrets leave encrypted with this; without it none do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_secret: Option<String>,
    /// The group's secrets go along, as hidden variables.
    pub secrets: bool,
    /// Credentials stay where they are.
    pub without_credentials: bool,
}

/// The answer to an export: files by name. A single file has the name `-`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exported {
    /// Contents by file name: JSON, or text as a string.
    pub files: BTreeMap<String, Value>,
}
