//! Whether the new revision works: its nodes started, its connections are there, its deliveries end.

use flotilla_api::health::{NodeProblem, ReplicaHealth, Source};
use flotilla_api::rollout::{Counts, Member};

use super::rollout::Rollout;
use super::view::GroupView;
use crate::member::ReplicaRecord;

/// A worker may be busy with one message for this long, or twice as long as the old revision's were.
const BUSY_MS: u64 = 3_000;
/// A connection that went away this short ago may come back by itself.
const BLINK_MS: u64 = 2_000;

/// How a replica on probation is with its connections.
pub(super) enum Connections {
    /// All that the old revision had, and all that it has itself.
    There,
    /// This one is not there yet.
    Missing(String),
    /// This one is not there for too long.
    Lost(String),
}

/// The old revision's worst, on those that run it and as it was when the rollout began.
fn old_worst(rollout: &Rollout, seen: &GroupView, before: u64, of: fn(&ReplicaHealth) -> u64) -> u64 {
    seen.worst_of(&rollout.from, of).max(before)
}

/// A node that does not work with the new revision and did with the old one.
pub(super) fn new_problem(rollout: &Rollout, seen: &GroupView, record: &ReplicaRecord) -> Option<String> {
    let known = |problem: &NodeProblem| {
        let old = seen.replicas.iter().filter(|other| other.revision == rollout.from && other.id != record.id);
        let mut old = old.flat_map(|other| &other.health.problems);
        rollout.broken_before.contains(&problem.node) || old.any(|other| other.node == problem.node)
    };
    record.health.problems.iter().find(|problem| !known(problem)).map(ToString::to_string)
}

/// How its connections are. What the old revision is not connected to either is nothing that the new one is to blame for.
pub(super) fn connections(rollout: &Rollout, seen: &GroupView, record: &ReplicaRecord, over: bool) -> Connections {
    let known = |source: &Source| {
        let old = seen.replicas.iter().filter(|other| other.revision == rollout.from && other.id != record.id);
        let mut old = old.flat_map(|other| other.health.lost());
        rollout.lost_before.contains(&source.name) || old.any(|other| other.name == source.name)
    };
    match record.health.lost().find(|source| !known(source)) {
        None => Connections::There,
        Some(source) if over && source.away_ms >= BLINK_MS => Connections::Lost(source.to_string()),
        Some(source) => Connections::Missing(source.to_string()),
    }
}

/// Why a worker of the replica hangs; `None` when none does.
pub(super) fn hangs(rollout: &Rollout, seen: &GroupView, record: &ReplicaRecord) -> Option<String> {
    let old = old_worst(rollout, seen, rollout.longest_before_ms, |health| health.longest_ms);
    let busy = record.health.busy_ms;
    (busy > BUSY_MS.max(old * 2)).then(|| {
        format!(
            "a worker has been busy with one message for {:.1} s, the old revision's longest was {:.1} s",
            busy as f64 / 1000.0,
            old as f64 / 1000.0
        )
    })
}

/// Why what came in does not end; `None` when it does, or may still.
pub(super) fn endless(rollout: &Rollout, seen: &GroupView, member: &Member, record: &ReplicaRecord) -> Option<String> {
    let (bound, on) = (rollout.rules.stuck_ms, seen.now_ms.saturating_sub(member.since_ms));
    let old = old_worst(rollout, seen, rollout.oldest_before_ms, |health| health.oldest_ms);
    let bound = bound.max(old * 2);
    let own = Counts::from(record).since(member.before);
    let seconds = bound as f64 / 1000.0;
    if own.begun > 0 && own.completed + own.failed == 0 && on > bound {
        return Some(format!("of {} deliveries none ended within {seconds} s", own.begun));
    }
    // What is older than the probation came in with the old revision.
    let oldest = record.health.oldest_ms;
    (oldest > bound && oldest < on).then(|| format!("a delivery has not ended for {:.0} s", oldest as f64 / 1000.0))
}

/// True when work came in with the new revision and none of it has ended yet.
pub(super) fn owes_proof(member: &Member, record: &ReplicaRecord) -> bool {
    let own = Counts::from(record).since(member.before);
    own.begun > 0 && own.completed + own.failed == 0
}

/// True when deliveries ended with the new revision.
pub(super) fn is_proven(member: &Member, record: &ReplicaRecord) -> bool {
    let own = Counts::from(record).since(member.before);
    own.completed > 0
}
