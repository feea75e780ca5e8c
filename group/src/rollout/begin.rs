//! What users do to a rollout: begin, pause, resume, cancel.

use flotilla_api::rollout::{Member, Phase, Rollout as Record, Rules, Step};

use super::apply::Actor;
use super::rollout::Rollout;
use super::view::GroupView;
use crate::member::ReplicaState;

impl Rollout {
    /// A rollout from one revision to the next, with the replicas that live now. Newest first, so that the first to be
    /// risked is the one that served the shortest.
    pub fn begin(
        number: u64,
        from: &str,
        to: &str,
        rules: Rules,
        seen: &GroupView,
        why: &str,
        actor: &Actor,
    ) -> Rollout {
        let staying = seen.replicas.iter().filter(|record| record.state != ReplicaState::Draining);
        let mut members: Vec<Member> =
            staying.map(|record| Member::new(&record.id, Step::Waiting, actor.now_ms, record.started_ms)).collect();
        members.sort_by_key(|member| std::cmp::Reverse(member.born_ms));
        let mut rollout = Rollout(Record {
            number,
            from: from.to_owned(),
            to: to.to_owned(),
            phase: Phase::Forward,
            paused: false,
            rules,
            size: members.len(),
            broken_before: seen.problems_of(from),
            lost_before: seen.lost_of(from),
            longest_before_ms: seen.worst_of(from, |health| health.longest_ms),
            oldest_before_ms: seen.worst_of(from, |health| health.oldest_ms),
            members,
            reason: String::new(),
            actor: actor.origin.actor.clone(),
            started_ms: actor.now_ms,
            progress_ms: actor.now_ms,
            ended_ms: None,
            log: Vec::new(),
        });
        rollout.note(actor, "deploy", "", why);
        rollout
    }

    /// Lets no further replica begin to move; the one that moves now goes on. False when it had no effect.
    pub fn pause(&mut self, actor: &Actor) -> bool {
        if self.phase != Phase::Forward || self.paused {
            return false;
        }
        self.paused = true;
        self.note(actor, "rollout-pauses", "", "");
        true
    }

    /// Goes on after a pause. False when it had no effect.
    pub fn resume(&mut self, actor: &Actor) -> bool {
        if !self.paused {
            return false;
        }
        (self.paused, self.progress_ms) = (false, actor.now_ms);
        self.note(actor, "rollout-resumes", "", "");
        true
    }

    /// Takes out a replica that leaves the group because a user said so. False when it had no effect.
    pub fn take_out(&mut self, replica: &str, actor: &Actor) -> bool {
        let there = |member: &&mut Member| member.id == replica && member.step != Step::Gone;
        let Some(member) = self.members.iter_mut().find(there) else { return false };
        let reason = format!("{} took it out of the group", actor.origin.actor);
        (member.step, member.since_ms, member.reason) = (Step::Gone, actor.now_ms, reason.clone());
        self.size = self.size.saturating_sub(1);
        self.progress_ms = actor.now_ms;
        self.note(actor, "replica-gone", replica, &reason);
        true
    }

    /// Halts, as after a failure: those that moved go back. False when it had no effect.
    pub fn cancel(&mut self, actor: &Actor) -> bool {
        if self.phase != Phase::Forward {
            return false;
        }
        self.halt(format!("cancelled by {}", actor.origin.actor), actor);
        true
    }
}
