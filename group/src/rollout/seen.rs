//! What the store shows of a group at one moment.

use serde::{Deserialize, Serialize};

use crate::member::{ReplicaRecord, ReplicaState};

/// How deliveries ended since a process started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Without a failure.
    pub completed: u64,
    /// With an uncaught error.
    pub failed: u64,
}

/// What the store shows of a group at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The store's clock, milliseconds since the epoch.
    pub now_ms: u64,
    /// The living replicas.
    pub replicas: Vec<ReplicaRecord>,
}

impl Counts {
    /// What was added since.
    pub fn since(self, before: Counts) -> Counts {
        Counts {
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

impl Seen {
    /// The record of a replica, if it lives and is still the same process.
    pub fn same(&self, id: &str, born_ms: u64) -> Option<&ReplicaRecord> {
        self.find(id).filter(|record| record.started_ms == born_ms)
    }

    /// The record of a replica, if it lives.
    pub fn find(&self, id: &str) -> Option<&ReplicaRecord> {
        self.replicas.iter().find(|record| record.id == id)
    }

    /// How many take work, whatever they run.
    pub fn ready(&self) -> usize {
        self.replicas.iter().filter(|record| record.state == ReplicaState::Ready).count()
    }

    /// The deliveries of all that run a revision.
    pub fn counts_of(&self, revision: &str) -> Counts {
        let those = self.replicas.iter().filter(|record| record.revision == revision);
        those.fold(Counts::default(), |sum, record| Counts {
            completed: sum.completed + record.completed,
            failed: sum.failed + record.failed,
        })
    }
}

impl From<&ReplicaRecord> for Counts {
    fn from(record: &ReplicaRecord) -> Counts {
        Counts { completed: record.completed, failed: record.failed }
    }
}
