//! What was found wrong, message by message.

use serde::{Deserialize, Serialize};

/// A message with which something was wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The key's name.
    pub key: String,
    /// The message's number within its key, from 0.
    pub seq: u32,
    /// Milliseconds from the begin of the run: when the output came; none for what never came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<u64>,
}

/// Of each kind, the first few.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Acknowledged (or sent at QoS 0) and never came out.
    pub lost: Vec<Finding>,
    /// Came out more than once; an entry for each time after the first.
    pub repeated: Vec<Finding>,
    /// Came out after a later message of its key.
    pub out_of_order: Vec<Finding>,
    /// Left an old value behind: see [`Totals::stale`](super::Totals::stale).
    #[serde(default)]
    pub stale: Vec<Finding>,
    /// Neither acknowledged nor out.
    pub unconfirmed: Vec<Finding>,
}
