//! What comes next in a rollout: a pure function of its state and of what the store shows.

use flotilla_api::rollout::{Counts, Phase};
use serde::Serialize;

use super::forward::forward;
use super::retreat::retreat;
use super::rollout::Rollout;
use super::view::GroupView;

/// The next step of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Action {
    /// Nothing can be done now, for this reason.
    Wait {
        /// What is waited for.
        why: String,
    },
    /// A replica joined in the middle; `moved` when it runs the new revision.
    Enlist {
        /// The replica.
        id: String,
        /// When its process started.
        born_ms: u64,
        /// It joined at the new revision.
        moved: bool,
    },
    /// A replica begins to move.
    Begin {
        /// The replica.
        id: String,
        /// When its process started.
        born_ms: u64,
    },
    /// It is ready with the new revision: probation begins.
    Watch {
        /// The replica.
        id: String,
        /// Its deliveries so far.
        before: Counts,
        /// The deliveries of the old revision so far.
        others_before: Counts,
    },
    /// Probation is over if it shows one more sign of life.
    Confirm {
        /// The replica.
        id: String,
        /// The last sign of life.
        beat: u64,
    },
    /// It stayed well: it has moved.
    Pass {
        /// The replica.
        id: String,
        /// Deliveries ended with the new revision; else no work came in that could prove it.
        proven: bool,
    },
    /// A replica failed, or the group cannot go on: halt.
    Halt {
        /// The replica, or empty.
        id: String,
        /// Why.
        why: String,
    },
    /// A replica is no longer there.
    Lose {
        /// The replica.
        id: String,
    },
    /// A replica begins to go back.
    Retreat {
        /// The replica.
        id: String,
        /// When its process started.
        born_ms: u64,
    },
    /// A replica runs the old revision again.
    Back {
        /// The replica.
        id: String,
    },
    /// A replica cannot go back; the others do.
    Stick {
        /// The replica.
        id: String,
        /// Why.
        why: String,
    },
    /// Everything is done.
    End,
}

/// What comes next. Deterministic: every process comes to the same answer, so that it does not matter who holds the
/// upgrade lease.
pub fn decide(rollout: &Rollout, seen: &GroupView) -> Action {
    match rollout.phase {
        Phase::Forward => forward(rollout, seen),
        Phase::Returning => retreat(rollout, seen),
        Phase::Done | Phase::Returned => wait("it has ended"),
    }
}

pub(super) fn wait(why: impl Into<String>) -> Action {
    Action::Wait { why: why.into() }
}
