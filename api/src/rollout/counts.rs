//! How deliveries ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::replica::ReplicaRecord;

/// How deliveries ended since a process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Begun.
    #[serde(default)]
    pub begun: u64,
    /// Without a failure.
    pub completed: u64,
    /// With an uncaught error.
    pub failed: u64,
}

impl Counts {
    /// What was added since.
    pub fn since(self, before: Counts) -> Counts {
        Counts {
            begun: self.begun.saturating_sub(before.begun),
            completed: self.completed.saturating_sub(before.completed),
            failed: self.failed.saturating_sub(before.failed),
        }
    }

    /// The share of failed deliveries; `None` without any.
    pub fn failure_rate(self) -> Option<f64> {
        let all = self.completed + self.failed;
        (all > 0).then(|| self.failed as f64 / all as f64)
    }
}

impl From<&ReplicaRecord> for Counts {
    fn from(record: &ReplicaRecord) -> Counts {
        Counts { begun: record.health.begun, completed: record.completed, failed: record.failed }
    }
}
