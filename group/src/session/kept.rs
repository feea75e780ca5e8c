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
    /// How many processes have begun to finish it for a dead replica, and did not end that in order.
    #[serde(default, skip_serializing_if = "flotilla_api::omit::is_default")]
    pub begun: u32,
    /// What whoever finishes it runs, where the one before has died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<Suspect>,
}

/// A message that runs alone in its session, because processes died while they finished it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspect {
    /// By which the message is known again.
    pub digest: String,
    /// The process that runs it.
    pub process: String,
    /// How many processes have died with it.
    pub deaths: u32,
}

/// A replica whose id nobody holds, and its sessions; or one session that was left behind on purpose.
#[derive(Clone, Debug, PartialEq)]
pub struct Orphans {
    /// The replica's id.
    pub replica: String,
    /// Its sessions.
    pub sessions: Vec<Kept>,
}
