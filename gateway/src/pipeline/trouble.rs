//! Why a step cannot be taken.

use flotilla_group::GroupError;

use crate::admin::Failure;

/// Why a step cannot be taken.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It never can: the run has failed.
    Fails(String),
    /// Not now.
    Waits(String),
    /// The other installation does not answer: it is tried again, until its bound.
    Away(String),
    /// The store does not answer: it is tried again.
    Store(String),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        let problem = failure.0;
        match &*problem.code {
            "store_unavailable" => Trouble::Store(problem.detail),
            "rollout_active" | "base_changed" | "busy" | "group_paused" => Trouble::Waits(problem.detail),
            _ => Trouble::Fails(problem.detail),
        }
    }
}

impl From<GroupError> for Trouble {
    fn from(error: GroupError) -> Trouble {
        Failure::from(error).into()
    }
}
