//! A session at a broker.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A session at a broker that may hold messages which nobody else gets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// Its ClientID, unique in the group.
    pub client_id: String,
    /// The replica that it belongs to; a name that no replica has once it was left behind.
    pub replica: String,
    /// What is needed to resume it; only who resumes it knows its shape.
    pub session: Value,
}

/// A replica whose id nobody holds, and its sessions; or one session that was left behind on purpose.
#[derive(Clone, Debug, PartialEq)]
pub struct Orphans {
    /// The replica's id.
    pub replica: String,
    /// Its sessions.
    pub sessions: Vec<Kept>,
}
