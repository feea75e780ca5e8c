//! The key that seals credentials, secrets and dead letters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which key is in use, and who has it. Keys are named by fingerprints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyState {
    /// The key that things are sealed with; none: the gateway has none.
    pub current: Option<String>,
    /// Keys that are being replaced.
    pub pending: Vec<Pending>,
    /// The processes, and the key that each would be started with.
    pub holders: Vec<KeyHolder>,
}

/// A key that is being replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pending {
    /// The old one.
    pub from: String,
    /// The new one.
    pub to: String,
}

/// A process that has a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyHolder {
    /// Its group; empty: none.
    pub group: String,
    /// `replica`, `gateway` or `agent`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The key that it would be started with.
    pub key: String,
}

/// `POST /api/v1/key/rotate`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RotateKey {
    /// The new key; none: a random one, where the gateway keeps it by itself (`flotilla up`).
    pub key: Option<String>,
}

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRotated {
    /// The old key.
    pub from: String,
    /// The new one.
    pub to: String,
    /// Records that were sealed anew.
    pub written: u64,
}

/// `POST /api/v1/key/finish`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyFinished {
    /// Records that were written with the old key meanwhile, and are sealed anew.
    pub written: u64,
}
