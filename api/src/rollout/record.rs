//! A rollout as the store keeps it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::member::{Member, Step};
use super::rules::Rules;
use crate::audit::AuditEntry;

/// Where a rollout is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Replicas move to the new revision.
    Forward,
    /// It was halted: those that moved go back.
    Returning,
    /// Every replica runs the new revision.
    Done,
    /// It was halted or cancelled, and the group runs the old revision.
    Returned,
}

/// A rollout: one document in the store, changed by compare-and-swap under the group's upgrade lease only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rollout {
    /// Counts up with each rollout of the group.
    pub number: u64,
    /// The last good revision.
    pub from: String,
    /// The new one.
    pub to: String,
    /// Where it is.
    pub phase: Phase,
    /// No further replica begins to move.
    #[serde(default)]
    pub paused: bool,
    /// Its rules.
    pub rules: Rules,
    /// How many replicas the group has when all are well.
    pub size: usize,
    /// Nodes that did not work with the old revision, by id.
    #[serde(default)]
    pub broken_before: Vec<String>,
    /// What the old revision was not connected to, by name.
    #[serde(default)]
    pub lost_before: Vec<String>,
    /// The longest that a worker was busy with one message with the old revision, milliseconds.
    #[serde(default)]
    pub longest_before_ms: u64,
    /// For how long a delivery was open with the old revision when the rollout began, milliseconds.
    #[serde(default)]
    pub oldest_before_ms: u64,
    /// The replicas, in the order in which they move.
    pub members: Vec<Member>,
    /// Why it was halted or cancelled.
    #[serde(default)]
    pub reason: String,
    /// Who began it.
    pub actor: String,
    /// When it began, on the store's clock.
    pub started_ms: u64,
    /// When it last got on.
    pub progress_ms: u64,
    /// When it ended.
    #[serde(default)]
    pub ended_ms: Option<u64>,
    /// Every step, written together with the step itself, so that none is missing.
    pub log: Vec<AuditEntry>,
}

impl Rollout {
    /// True while replicas may still have to move.
    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Forward | Phase::Returning)
    }

    /// The revision that the group ends with, as things are now.
    pub fn goal(&self) -> &str {
        match self.phase {
            Phase::Forward | Phase::Done => &self.to,
            Phase::Returning | Phase::Returned => &self.from,
        }
    }

    /// The revision that a replica is to run now. One that is not known to the rollout yet joins at the new revision as
    /// soon as that has passed one probation.
    pub fn assigned(&self, replica: &str) -> &str {
        let Some(member) = self.members.iter().find(|member| member.id == replica && member.step != Step::Gone) else {
            let proven = self.members.iter().any(|member| member.step == Step::Moved);
            return if self.phase == Phase::Forward && !proven { &self.from } else { self.goal() };
        };
        match (self.phase, member.step) {
            (Phase::Done | Phase::Returned, _) => self.goal(),
            (_, Step::Moving | Step::Probation | Step::Moved | Step::Failed) => &self.to,
            (_, Step::Waiting | Step::Returning | Step::Returned | Step::Stuck | Step::Gone) => &self.from,
        }
    }

    /// How many replicas stay ready.
    pub fn min_available(&self) -> usize {
        self.rules.min_available.unwrap_or(self.size.saturating_sub(1)).min(self.size.saturating_sub(1))
    }
}
