//! What a snapshot holds.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::credentials::{CredentialsError, NodeCredentials};

/// Why a file cannot be read as a snapshot.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FlowFuseError {
    /// A field that FlowFuse's import demands is missing or of another type.
    #[error("not a FlowFuse snapshot: {0}")]
    Shape(&'static str),
    /// The credentials cannot be decrypted.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A hidden variable cannot be decrypted.
    #[error("env \"{name}\" of the snapshot: {reason}")]
    Env {
        /// The variable.
        name: String,
        /// What is wrong.
        reason: CredentialsError,
    },
}

/// An environment variable of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowFuseVar {
    /// Its value, decrypted.
    pub value: String,
    /// FlowFuse shows it to nobody.
    pub hidden: bool,
}

/// A snapshot in plain: what is encrypted in the file is not here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowFuseSnapshot {
    /// Its id at FlowFuse, or ours.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// When it was made, in RFC 3339.
    pub created_at: String,
    /// Who made it.
    pub user: String,
    /// The flow document: an array of entries.
    pub flows: Value,
    /// Credentials by node id.
    pub credentials: NodeCredentials,
    /// Environment variables, without those of the platform (`FF_*`).
    pub env: BTreeMap<String, FlowFuseVar>,
    /// npm packages and their versions; `node-red` is among them.
    pub modules: BTreeMap<String, String>,
    /// The instance's settings in FlowFuse's form.
    pub settings: Map<String, Value>,
}
