//! The probation of a replica with another binary: the same as that of one with another revision.

use flotilla_api::placement::{Trial, Upgrade};
use flotilla_api::rollout::{Member, Phase, Rollout as Record, Step};

use crate::member::ReplicaState;
use crate::placement::document::{Places, number_of};
use crate::placement::view::{GroupSeen, PlacementView};
use crate::rollout::{Action, Actor, Rollout, judge};

/// In place of revisions: what a replica runs.
const OLD: &str = "old";
const NEW: &str = "new";

/// How a trial stands.
pub(super) enum Verdict {
    /// It goes on; what is waited for.
    Wait(String),
    /// The new one stays; what is not proven.
    Pass(String),
    /// It failed, for this reason.
    Fail(String),
}

/// How the trial stands. Takes note of what was seen.
pub(super) fn look(
    trial: &mut Trial,
    upgrade: &Upgrade,
    seen: &PlacementView,
    group: &GroupSeen,
    places: &Places,
) -> Verdict {
    let now = as_of_a_rollout(seen.now_ms, group, places);
    let limit = upgrade.rules.ready_ms;
    let Some(mut rollout) = trial.probation.take().map(|record| Rollout(*record)) else {
        let new = group.replicas.iter().find(|record| number_of(&group.name, &record.id) == Some(trial.new));
        let Some(new) = new else {
            if seen.now_ms > trial.since_ms + limit {
                let seconds = limit as f64 / 1000.0;
                return Verdict::Fail(format!(
                    "it did not start within {seconds} s: the lines of its host's agent say why"
                ));
            }
            return Verdict::Wait("it is to start".to_owned());
        };
        let member = Member::new(&new.id, Step::Moving, seen.now_ms, new.started_ms);
        trial.probation = Some(Box::new(begin(upgrade, &now, member, places.count())));
        return Verdict::Wait("it is to be ready".to_owned());
    };
    let member = rollout.members[0].clone();
    let action = judge(&rollout, &now, &member);
    let verdict = match &action {
        Action::Wait { why } => Verdict::Wait(words(why)),
        Action::Pass { proven: true, .. } => Verdict::Pass(String::new()),
        Action::Pass { .. } => Verdict::Pass("unproven: no delivery ended in its probation".to_owned()),
        Action::Halt { why, .. } => Verdict::Fail(words(why)),
        _ => {
            let actor = Actor { origin: "scheduler".into(), token: 0, now_ms: seen.now_ms };
            rollout.apply(&action, &actor);
            // The audit log has what is decided.
            rollout.log.clear();
            Verdict::Wait("it is in probation".to_owned())
        }
    };
    let verdict = match verdict {
        // It is as ready as the one before: the group has no revision, or none that runs.
        Verdict::Wait(why) | Verdict::Fail(why) if is_no_worse(trial, seen, group, &member, upgrade) => {
            Verdict::Pass(format!("unproven: the one before was not ready either ({why})"))
        }
        verdict => verdict,
    };
    trial.probation = Some(Box::new(rollout.0));
    verdict
}

/// True when the new one lives, and neither is ready.
fn is_no_worse(trial: &Trial, seen: &PlacementView, group: &GroupSeen, member: &Member, upgrade: &Upgrade) -> bool {
    let of = |number: u64| group.replicas.iter().find(move |record| number_of(&group.name, &record.id) == Some(number));
    let (Some(old), Some(new)) = (of(trial.old), of(trial.new)) else { return false };
    old.state != ReplicaState::Ready
        && old.state != ReplicaState::Draining
        && new.state == old.state
        && new.started_ms == member.born_ms
        && seen.now_ms >= member.since_ms + upgrade.rules.probation_ms
}

fn begin(upgrade: &Upgrade, now: &crate::rollout::GroupView, member: Member, size: usize) -> Record {
    Record {
        number: upgrade.number,
        from: OLD.to_owned(),
        to: NEW.to_owned(),
        phase: Phase::Forward,
        paused: false,
        rules: upgrade.rules.clone(),
        size,
        broken_before: now.problems_of(OLD),
        lost_before: now.lost_of(OLD),
        longest_before_ms: now.worst_of(OLD, |health| health.longest_ms),
        oldest_before_ms: now.worst_of(OLD, |health| health.oldest_ms),
        started_ms: member.since_ms,
        progress_ms: member.since_ms,
        members: vec![member],
        reason: String::new(),
        actor: upgrade.actor.clone(),
        ended_ms: None,
        log: Vec::new(),
    }
}

/// The replicas as a rollout sees them: the binary in place of the revision.
fn as_of_a_rollout(now_ms: u64, group: &GroupSeen, places: &Places) -> crate::rollout::GroupView {
    let mut replicas = group.replicas.clone();
    for record in &mut replicas {
        let on_trial = number_of(&group.name, &record.id).is_some_and(|number| places.trial.contains(&number));
        record.revision = if on_trial { NEW } else { OLD }.to_owned();
    }
    crate::rollout::GroupView { now_ms, replicas, ..crate::rollout::GroupView::default() }
}

/// The words of rollouts, for a binary.
fn words(why: &str) -> String {
    why.replace("revision", "binary")
}
