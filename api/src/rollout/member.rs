//! A replica in a rollout.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::Counts;

/// How far a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// It runs the old revision.
    Waiting,
    /// It drains, swaps and gets ready.
    Moving,
    /// It runs the new revision and is watched.
    Probation,
    /// It runs the new revision for good.
    Moved,
    /// It failed with the new revision.
    Failed,
    /// It goes back to the old revision.
    Returning,
    /// It runs the old revision again.
    Returned,
    /// It could not go back either; it keeps trying.
    Stuck,
    /// It died or left.
    Gone,
}

/// A replica in a rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// The replica's id.
    pub id: String,
    /// How far it is.
    pub step: Step,
    /// When it got there, milliseconds of the store's clock.
    pub since_ms: u64,
    /// Why, when it failed, is gone or is stuck; when it moved, what is not proven.
    #[serde(default)]
    pub reason: String,
    /// When its process started: another process under the same id is a crash.
    pub born_ms: u64,
    /// Its deliveries when probation began.
    #[serde(default)]
    pub before: Counts,
    /// The deliveries of those on the old revision then.
    #[serde(default)]
    pub others_before: Counts,
    /// The sign of life that must be outdone before probation ends.
    #[serde(default)]
    pub beat: Option<u64>,
}

impl Member {
    /// A replica that begins at a step.
    pub fn new(id: &str, step: Step, now_ms: u64, born_ms: u64) -> Member {
        Member {
            id: id.to_owned(),
            step,
            since_ms: now_ms,
            reason: String::new(),
            born_ms,
            before: Counts::default(),
            others_before: Counts::default(),
            beat: None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Step::Waiting => "waiting",
            Step::Moving => "moving",
            Step::Probation => "probation",
            Step::Moved => "moved",
            Step::Failed => "failed",
            Step::Returning => "returning",
            Step::Returned => "returned",
            Step::Stuck => "stuck",
            Step::Gone => "gone",
        })
    }
}
