//! A rollout after a step.

use flotilla_api::audit::Origin;
use flotilla_api::rollout::{Member, Phase, Step};

use super::decide::Action;
use super::rollout::Rollout;
use crate::audit::AuditEntry;

/// Who takes a step, when.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The process, or the user.
    pub origin: Origin,
    /// The fencing token of the upgrade lease; 0 for a user.
    pub token: u64,
    /// The store's clock.
    pub now_ms: u64,
}

impl Rollout {
    /// Takes a step. The step is in the log when this returns, so both are written together.
    pub fn apply(&mut self, action: &Action, actor: &Actor) {
        match action {
            Action::Wait { .. } => return,
            Action::Enlist { id, born_ms, moved } => {
                let step = if *moved { Step::Moved } else { Step::Waiting };
                self.members.retain(|member| member.id != *id);
                self.members.push(Member::new(id, step, actor.now_ms, *born_ms));
                self.note(actor, "replica-joins", id, "it joined in the middle of the rollout");
            }
            Action::Begin { id, .. } => {
                self.set_step(id, Step::Moving, "", actor);
                self.note(actor, "replica-moves", id, "");
            }
            Action::Watch { id, before, others_before } => {
                if let Some(member) = self.set_step(id, Step::Probation, "", actor) {
                    (member.before, member.others_before, member.beat) = (*before, *others_before, None);
                }
                self.note(actor, "replica-ready", id, "probation begins");
            }
            Action::Confirm { id, beat } => {
                if let Some(member) = self.members.iter_mut().find(|member| member.id == *id) {
                    member.beat = Some(*beat);
                }
            }
            Action::Pass { id, proven } => {
                let unproven = if *proven { "" } else { "unproven: no delivery ended in its probation" };
                self.set_step(id, Step::Moved, unproven, actor);
                let why = if *proven { "probation passed" } else { unproven };
                self.note(actor, "replica-moved", id, why);
            }
            Action::Halt { id, why } => {
                self.set_step(id, Step::Failed, why, actor);
                let reason = if id.is_empty() { why.clone() } else { format!("{id}: {why}") };
                self.halt(reason, actor);
            }
            Action::Lose { id } => {
                self.set_step(id, Step::Gone, "it died or left", actor);
                self.note(actor, "replica-gone", id, "it died or left");
            }
            Action::Retreat { id, .. } => {
                let why = self.members.iter().find(|member| member.id == *id).map(|member| member.reason.clone());
                self.set_step(id, Step::Returning, &why.unwrap_or_default(), actor);
                self.note(actor, "replica-returns", id, "");
            }
            Action::Back { id } => {
                let why = self.members.iter().find(|member| member.id == *id).map(|member| member.reason.clone());
                self.set_step(id, Step::Returned, &why.unwrap_or_default(), actor);
                self.note(actor, "replica-returned", id, "");
            }
            Action::Stick { id, why } => {
                self.set_step(id, Step::Stuck, why, actor);
                self.note(actor, "replica-stuck", id, why);
            }
            Action::End => {
                let (phase, what) = match self.phase {
                    Phase::Forward => (Phase::Done, "rollout-done"),
                    _ => (Phase::Returned, "rollout-returned"),
                };
                (self.phase, self.ended_ms) = (phase, Some(actor.now_ms));
                let reason = self.reason.clone();
                self.note(actor, what, "", &reason);
            }
        }
        self.progress_ms = actor.now_ms;
    }

    /// Halts: those that moved go back.
    pub(super) fn halt(&mut self, reason: String, actor: &Actor) {
        (self.phase, self.paused) = (Phase::Returning, false);
        self.note(actor, "rollout-halts", "", &reason);
        self.reason = reason;
        self.progress_ms = actor.now_ms;
    }

    fn set_step(&mut self, id: &str, step: Step, reason: &str, actor: &Actor) -> Option<&mut Member> {
        let member = self.members.iter_mut().find(|member| member.id == id)?;
        (member.step, member.since_ms) = (step, actor.now_ms);
        reason.clone_into(&mut member.reason);
        Some(member)
    }

    pub(super) fn note(&mut self, actor: &Actor, action: &str, replica: &str, why: &str) {
        let entry = AuditEntry {
            time_ms: actor.now_ms,
            replica: replica.to_owned(),
            revision: self.goal().to_owned(),
            token: actor.token,
            rollout: self.number,
            ..actor.origin.entry(action, why)
        };
        self.log.push(entry);
    }
}
