//! Tokens of users.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grant::Grant;

/// What a token may be used for, of what its user may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// To look.
    Read,
    /// For everything.
    #[default]
    Write,
    /// To call the HTTP endpoints of flows, and nothing else.
    Call,
}

/// A token as lists show it. `GET /api/v1/tokens` answers them, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    /// By which it is revoked.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Whose it is.
    pub user: String,
    /// What it may be used for.
    pub access: Access,
    /// The groups that it is for; none: all of its user's.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Milliseconds since the epoch, on the store's clock.
    pub created_ms: u64,
    /// When it expires; never without.
    #[serde(default)]
    pub expires_ms: Option<u64>,
    /// When it was last used, to the minute.
    #[serde(default)]
    pub used_ms: Option<u64>,
}

/// `POST /api/v1/tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for, for lists and the audit log.
    #[serde(default)]
    pub name: String,
    /// Whose it is to be: an admin's choice; without it that of whoever asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What it may be used for.
    #[serde(default)]
    pub access: Access,
    /// The groups that it is for; none: all of its user's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// How long it is good, in seconds; without it until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u64>,
}

/// The answer to a new token and to a login: the only one that has its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MadeToken {
    /// The token.
    #[serde(flatten)]
    pub token: Token,
    /// What is sent as `Authorization: Bearer SECRET`. It is shown once.
    pub secret: String,
}

/// `GET /api/v1/whoami`: who the credential of the request stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Whoami {
    /// The name, as the audit log has it.
    pub name: String,
    /// The roles.
    pub roles: Vec<Grant>,
    /// What the credential may be used for.
    pub access: Access,
    /// The groups that it is for; none: all.
    pub groups: Vec<String>,
    /// The credential: `token ci (00c0ffee00c0ffee)`.
    #[serde(default)]
    pub credential: String,
}
