//! What comes next while replicas go back to the last good revision.

use flotilla_api::rollout::{Member, Step};

use super::decide::{Action, wait};
use super::rollout::Rollout;
use super::view::GroupView;
use crate::member::ReplicaState;

pub(super) fn retreat(rollout: &Rollout, seen: &GroupView) -> Action {
    if let Some(member) = rollout.members.iter().find(|member| member.step == Step::Returning) {
        return returning(rollout, seen, member);
    }
    // The one that failed first, then the others in reverse.
    let away = |member: &&Member| matches!(member.step, Step::Moving | Step::Probation | Step::Moved);
    let failed = rollout.members.iter().find(|member| member.step == Step::Failed);
    let Some(member) = failed.or_else(|| rollout.members.iter().rev().find(away)) else { return Action::End };
    let Some(record) = seen.same(&member.id, member.born_ms) else { return Action::Lose { id: member.id.clone() } };
    let left = seen.ready() - usize::from(record.state == ReplicaState::Ready);
    let patient = seen.now_ms <= rollout.progress_ms + rollout.rules.ready_ms;
    // After that it goes back all the same: the old revision is the safe side.
    if record.state == ReplicaState::Ready && left < rollout.min_available() && patient {
        return wait(format!("more replicas must be ready before {} may go back", member.id));
    }
    if record.state == ReplicaState::Ready
        && patient
        && let Some(why) = seen.misses(&member.id, &rollout.rules)
    {
        return wait(format!("{} waits: {why}", member.id));
    }
    Action::Retreat { id: member.id.clone(), born_ms: member.born_ms }
}

fn returning(rollout: &Rollout, seen: &GroupView, member: &Member) -> Action {
    let Some(record) = seen.same(&member.id, member.born_ms) else { return Action::Lose { id: member.id.clone() } };
    if record.revision == rollout.from {
        match record.state {
            ReplicaState::Ready => return Action::Back { id: member.id.clone() },
            ReplicaState::Failed => return Action::Stick { id: member.id.clone(), why: record.reason.clone() },
            ReplicaState::Starting | ReplicaState::Draining => {}
        }
    }
    if seen.now_ms > member.since_ms + rollout.rules.drain_ms + rollout.rules.ready_ms {
        let why = "it was not ready with the old revision in time".to_owned();
        return Action::Stick { id: member.id.clone(), why };
    }
    wait(format!("{} is to be ready with the old revision", member.id))
}
