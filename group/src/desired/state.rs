//! What a group is to run.

use flotilla_api::group::Pause;
use flotilla_flows::DeployType;
use serde::{Deserialize, Serialize};

use crate::rollout::{Phase, Rollout, Step};

/// What a group is to run: one document, so that the good revision and the rollout never disagree.
///
/// It changes by compare-and-swap alone, and the steps of a rollout also under the fence of the upgrade lease: of two processes
/// that decide at once one is refused and looks again. Replicas follow it by what [`DesiredState::assigned`] says of them, so
/// that a replica that was away finds its revision when it is back. While the store is away nobody changes anything and replicas
/// run what they have. A document that a newer version wrote is refused, not guessed at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesiredState {
    /// The last good revision.
    pub revision: String,
    /// The good revision before it.
    #[serde(default)]
    pub previous: Option<String>,
    /// The rollout that runs, or the last one.
    pub rollout: Option<Rollout>,
    /// The group is paused: its replicas take no work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
}

impl DesiredState {
    /// A group that was never rolled.
    pub fn new(revision: &str) -> DesiredState {
        DesiredState { revision: revision.to_owned(), previous: None, rollout: None, pause: None }
    }

    /// The rollout, while it runs.
    pub fn active(&self) -> Option<&Rollout> {
        self.rollout.as_ref().filter(|rollout| rollout.is_active())
    }

    /// The revision that a replica is to run now.
    pub fn assigned(&self, replica: &str) -> &str {
        self.active().map_or(&self.revision, |rollout| rollout.assigned(replica))
    }

    /// What restarts in a replica that goes to this revision now.
    pub fn deploy_type(&self, revision: &str) -> DeployType {
        let rollout = self.rollout.as_ref().filter(|rollout| rollout.goal() == rollout.to && rollout.to == revision);
        rollout.map_or_else(DeployType::default, |rollout| rollout.rules.deploy_type)
    }

    /// True while it is not known what a replica that users added in the middle of a rollout is to run: it joins at the
    /// revision that the rollout ends with, so it waits until that has passed one probation or was halted.
    pub fn is_open_for(&self, replica: &str, added_ms: u64) -> bool {
        self.active().is_some_and(|rollout| {
            rollout.phase == Phase::Forward
                && added_ms >= rollout.started_ms
                && rollout
                    .members
                    .iter()
                    .all(|member| member.step != Step::Moved && (member.id != replica || member.step == Step::Gone))
        })
    }

    /// True while a replica tries a revision that the group may go back from, or is to go back from.
    pub fn is_on_trial(&self, replica: &str) -> bool {
        let members = self.active().into_iter().flat_map(|rollout| &rollout.members);
        let mut own = members.filter(|member| member.id == replica);
        own.any(|member| matches!(member.step, Step::Moving | Step::Probation | Step::Failed))
    }

    /// True when to run this revision is to go back to one that ran before: after a halt, or by a rollback.
    pub fn is_way_back(&self, revision: &str) -> bool {
        let Some(rollout) = self.active() else { return false };
        match rollout.phase {
            Phase::Forward => rollout.to == revision && self.previous.as_deref() == Some(revision),
            _ => rollout.from == revision,
        }
    }

    /// The revision that the group ends with, as things are now.
    pub fn goal(&self) -> &str {
        self.active().map_or(&self.revision, |rollout| rollout.goal())
    }

    /// The number of the next rollout.
    pub fn next_number(&self) -> u64 {
        self.rollout.as_ref().map_or(1, |rollout| rollout.number + 1)
    }

    /// A rollout that is done makes its revision the good one.
    pub(crate) fn settle(&mut self) {
        if let Some(rollout) = self.rollout.as_ref().filter(|rollout| rollout.phase == Phase::Done)
            && self.revision != rollout.to
        {
            self.previous = Some(std::mem::replace(&mut self.revision, rollout.to.clone()));
        }
    }
}
