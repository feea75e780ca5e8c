//! What is seen of a group, and what may be wrong with it.

use flotilla_api::alert::AlertKind;
use flotilla_api::replica::ReplicaRecord;
use flotilla_api::rollout::Rollout;

/// What is seen of a group at one moment.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The time, milliseconds since the epoch.
    pub now_ms: u64,
    /// How many replicas a supervisor is to keep running; 0: as many as are started by hand.
    pub wanted: usize,
    /// The living replicas; `None` when the store does not answer, and then all else is unknown, too.
    pub replicas: Option<Vec<ReplicaRecord>>,
    /// The rollout.
    pub rollout: Option<Rollout>,
    /// Dead letters in the box.
    pub dead_letters: u64,
    /// How long the oldest message waits at a broker that is known, milliseconds.
    pub oldest_waiting_ms: u64,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// What kind of thing.
    pub kind: AlertKind,
    /// What in particular.
    pub cause: String,
    /// What is wrong, for people.
    pub text: String,
    /// How many replicas were ready before a crash; 0 for all else.
    pub ready_before: usize,
}

impl Cause {
    pub(super) fn new(kind: AlertKind, cause: &str, text: String) -> Cause {
        Cause { kind, cause: cause.to_owned(), text, ready_before: 0 }
    }
}
