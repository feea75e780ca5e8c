//! Join tokens: with one a replica joins a group, and gets the group's key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A join token as lists show it. `GET /api/v1/groups/{group}/join-tokens` answers them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JoinToken {
    /// By which it is revoked.
    pub id: String,
    /// The group.
    pub group: String,
    /// Whose the replicas are that join with it.
    pub owner: String,
    /// When it expires, milliseconds since the epoch on the store's clock.
    pub expires_ms: u64,
}

/// `POST /api/v1/groups/{group}/join-tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewJoinToken {
    /// Whose the replicas are to be: an admin's choice; without it they are the caller's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How long it is good, in seconds, at most 30 days; without it an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u64>,
}

/// The answer to a new join token: the only one that has its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MadeJoinToken {
    /// The token.
    #[serde(flatten)]
    pub token: JoinToken,
    /// What `flotilla replica --join` takes. It is shown once.
    pub secret: String,
}
