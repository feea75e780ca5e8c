//! What comes next while replicas move to the new revision.

use flotilla_api::rollout::{Counts, Member, Step};

use super::decide::{Action, wait};
use super::proof::{Connections, connections, endless, hangs, is_proven, new_problem, owes_proof};
use super::rates::too_many_failures;
use super::rollout::Rollout;
use super::view::GroupView;
use crate::member::ReplicaState;

pub(super) fn forward(rollout: &Rollout, seen: &GroupView) -> Action {
    if let Some(action) = newcomer(rollout, seen).or_else(|| lost(rollout, seen)) {
        return action;
    }
    for member in &rollout.members {
        match member.step {
            Step::Moving => return moving(rollout, seen, member),
            Step::Probation => return probation(rollout, seen, member),
            Step::Moved => {
                if let Some(why) = moved_and_ails(rollout, seen, member) {
                    return Action::Halt { id: member.id.clone(), why };
                }
            }
            _ => {}
        }
    }
    if rollout.paused {
        return wait("it is paused");
    }
    next(rollout, seen)
}

/// What comes next of a replica that moves, whoever else there is: its own way through probation.
pub(crate) fn judge(rollout: &Rollout, seen: &GroupView, member: &Member) -> Action {
    match member.step {
        Step::Moving => moving(rollout, seen, member),
        Step::Probation => probation(rollout, seen, member),
        _ => wait("it does not move"),
    }
}

/// What is wrong with a replica that has moved already.
fn moved_and_ails(rollout: &Rollout, seen: &GroupView, member: &Member) -> Option<String> {
    let record = seen.find(&member.id).filter(|record| record.revision == rollout.to)?;
    if record.state == ReplicaState::Failed {
        return Some(record.reason.clone());
    }
    let ails = new_problem(rollout, seen, record).or_else(|| hangs(rollout, seen, record));
    ails.or_else(|| endless(rollout, seen, member, record))
}

/// A replica that the rollout does not know yet and that runs something.
fn newcomer(rollout: &Rollout, seen: &GroupView) -> Option<Action> {
    let known = |id: &str| rollout.members.iter().any(|member| member.id == id && member.step != Step::Gone);
    let new = seen
        .replicas
        .iter()
        .find(|record| !known(&record.id) && record.state != ReplicaState::Draining && !record.revision.is_empty())?;
    let moved = new.revision == rollout.to;
    Some(Action::Enlist { id: new.id.clone(), born_ms: new.started_ms, moved })
}

/// A replica that is gone, or is another process now, while it was not its turn.
fn lost(rollout: &Rollout, seen: &GroupView) -> Option<Action> {
    let idle = rollout.members.iter().filter(|member| matches!(member.step, Step::Waiting | Step::Moved));
    let gone = idle.into_iter().find(|member| seen.same(&member.id, member.born_ms).is_none())?;
    Some(Action::Lose { id: gone.id.clone() })
}

fn moving(rollout: &Rollout, seen: &GroupView, member: &Member) -> Action {
    let halt = |why: String| Action::Halt { id: member.id.clone(), why };
    let Some(record) = seen.same(&member.id, member.born_ms) else {
        return halt("it died while it moved to the new revision".to_owned());
    };
    if record.revision == rollout.to {
        match record.state {
            ReplicaState::Failed => return halt(record.reason.clone()),
            ReplicaState::Ready => {
                if let Some(why) = new_problem(rollout, seen, record) {
                    return halt(why);
                }
                return Action::Watch {
                    id: member.id.clone(),
                    before: Counts::from(record),
                    others_before: seen.counts_of(&rollout.from),
                };
            }
            ReplicaState::Starting | ReplicaState::Draining => {}
        }
    }
    let limit = rollout.rules.drain_ms + rollout.rules.ready_ms;
    if seen.now_ms > member.since_ms + limit {
        let seconds = limit as f64 / 1000.0;
        return halt(format!("it was not ready with the new revision within {seconds} s (drain and ready time-out)"));
    }
    wait(format!("{} is to be ready with the new revision", member.id))
}

fn probation(rollout: &Rollout, seen: &GroupView, member: &Member) -> Action {
    let halt = |why: String| Action::Halt { id: member.id.clone(), why };
    let Some(record) = seen.same(&member.id, member.born_ms) else {
        return halt("it died in probation".to_owned());
    };
    if record.state != ReplicaState::Ready || record.revision != rollout.to {
        let why = if record.reason.is_empty() { "it left the state ready".to_owned() } else { record.reason.clone() };
        return halt(format!("in probation: {why}"));
    }
    if let Some(why) = new_problem(rollout, seen, record).or_else(|| hangs(rollout, seen, record)) {
        return halt(format!("in probation: {why}"));
    }
    let over = seen.now_ms >= member.since_ms + rollout.rules.probation_ms;
    let missing = match connections(rollout, seen, record, over) {
        Connections::There => None,
        Connections::Missing(what) => Some(what),
        Connections::Lost(what) => return halt(format!("in probation: {what}")),
    };
    // A dead replica's record stays until its lease ends: only a sign of life from after probation ends it.
    let confirmed = member.beat.is_some_and(|beat| record.beat > beat);
    if let Some(why) = too_many_failures(rollout, seen, member, record, !(over && confirmed)) {
        return halt(why);
    }
    if let Some(why) = endless(rollout, seen, member, record) {
        return halt(format!("in probation: {why}"));
    }
    if let Some(what) = missing {
        return wait(format!("{} is in probation: {what}", member.id));
    }
    match (over, member.beat) {
        (true, _) if owes_proof(member, record) => {
            wait(format!("{} is in probation: none of its deliveries has ended yet", member.id))
        }
        (true, None) => Action::Confirm { id: member.id.clone(), beat: record.beat },
        (true, Some(_)) if confirmed => Action::Pass { id: member.id.clone(), proven: is_proven(member, record) },
        _ => wait(format!("{} is in probation", member.id)),
    }
}

fn next(rollout: &Rollout, seen: &GroupView) -> Action {
    let waiting = || rollout.members.iter().filter(|member| member.step == Step::Waiting);
    let is_ready = |member: &Member| seen.find(&member.id).is_some_and(|record| record.state == ReplicaState::Ready);
    // One that takes no work anyway costs nothing to move, and may be mended by it.
    let spared = |member: &&Member| seen.misses(&member.id, &rollout.rules).is_none();
    let candidate = waiting().find(|member| !is_ready(member)).or_else(|| waiting().find(spared));
    let Some(candidate) = candidate.or_else(|| waiting().next()) else { return Action::End };
    let left = seen.ready() - usize::from(is_ready(candidate));
    let least = rollout.min_available();
    if is_ready(candidate) && left < least {
        if seen.now_ms > rollout.progress_ms + rollout.rules.ready_ms {
            let why = format!("only {left} replicas would stay ready, min_available is {least}");
            return Action::Halt { id: String::new(), why };
        }
        return wait(format!("{} more replicas must be ready before {} may move", least - left, candidate.id));
    }
    if is_ready(candidate)
        && let Some(why) = seen.misses(&candidate.id, &rollout.rules)
    {
        if seen.now_ms > rollout.progress_ms + rollout.rules.ready_ms {
            return Action::Halt { id: String::new(), why };
        }
        return wait(format!("{} waits: {why}", candidate.id));
    }
    Action::Begin { id: candidate.id.clone(), born_ms: candidate.born_ms }
}
