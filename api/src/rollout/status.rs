//! What a group is to run, as the API shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::Rollout;

/// `GET /api/v1/groups/{group}/rollout`: what a group is to run, and the rollout that runs or was the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RolloutStatus {
    /// The last good revision.
    pub revision: String,
    /// The good revision before it.
    #[serde(default)]
    pub previous: Option<String>,
    /// The rollout that runs, or the last one.
    pub rollout: Option<Rollout>,
    /// The revision that the group ends with.
    pub goal: String,
    /// What the rollout waits for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Who holds the upgrade lease and takes the next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
}

/// What users may do to a rollout that runs: the last part of `POST /api/v1/groups/{group}/rollout/{change}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutChange {
    /// No further replica begins to move.
    Pause,
    /// It goes on after a pause.
    Resume,
    /// It halts, and replicas that moved go back.
    Cancel,
}

impl RolloutChange {
    /// The word in the path.
    pub fn word(self) -> &'static str {
        match self {
            RolloutChange::Pause => "pause",
            RolloutChange::Resume => "resume",
            RolloutChange::Cancel => "cancel",
        }
    }
}
