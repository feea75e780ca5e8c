//! What the store shows of a group at one moment.

use flotilla_api::rollout::Counts;

use crate::member::{ReplicaRecord, ReplicaState};

/// What the store shows of a group at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The store's clock, milliseconds since the epoch.
    pub now_ms: u64,
    /// The living replicas.
    pub replicas: Vec<ReplicaRecord>,
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
