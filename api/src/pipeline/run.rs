//! A run of a pipeline as the store keeps it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spec::{PipelineSpec, StageSpec};
use crate::audit::AuditEntry;
use crate::rollout::Member;

/// Where a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// It goes on, or waits.
    #[default]
    Active,
    /// It reached its last stage.
    Done,
    /// A gate or a rollout stopped it.
    Failed,
    /// Somebody did not approve.
    Rejected,
    /// Somebody cancelled it.
    Cancelled,
}

/// What is next at a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The stage before gives what goes on.
    #[default]
    Take,
    /// The gates that look at it: review, tests, a dry run.
    Check,
    /// The gates that wait: values of new keys, approvals, the window.
    Wait,
    /// It begins at the stage: a rollout, or a push.
    Deploy,
    /// The rollout is followed to its end.
    Follow,
    /// The stage has it.
    Done,
}

/// One run: a document in the store, changed by compare-and-swap only. It keeps the pipeline as it was at its beginning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Counts up with each run of the pipeline.
    pub number: u64,
    /// The pipeline as it was when the run began.
    pub pipeline: PipelineSpec,
    /// Who began it.
    pub actor: String,
    /// Why.
    #[serde(default)]
    pub message: String,
    /// The snapshot that it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// The place of its first stage.
    pub from: usize,
    /// One for each stage behind that, in order.
    pub hops: Vec<Hop>,
    /// Where it is.
    pub phase: Phase,
    /// Why it ended so.
    #[serde(default)]
    pub reason: String,
    /// What it waits for now.
    #[serde(default)]
    pub waits_for: String,
    /// When it began, in ms since 1970 on the store's clock.
    pub started_ms: u64,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
    /// Every step, written together with the step itself.
    pub log: Vec<AuditEntry>,
}

/// The way from one stage to the next.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// The stage's name.
    pub stage: String,
    /// The place of the stage in the pipeline.
    pub at: usize,
    /// What is next.
    pub step: Step,
    /// What comes: the group that it is of, empty for a git stage.
    #[serde(default)]
    pub group: String,
    /// The revision that comes, in the group that it is of.
    #[serde(default)]
    pub source: String,
    /// Its snapshot there; 0: none.
    #[serde(default)]
    pub snapshot: u64,
    /// The commit that was pulled, or that was pushed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub commit: String,
    /// Who made the snapshot or the commit.
    #[serde(default)]
    pub author: String,
    /// What it would do at the stage.
    #[serde(default)]
    pub plan: HopPlan,
    /// Who approved.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// It begins at this moment: nobody can cancel it before it is known how that went.
    #[serde(default, skip_serializing_if = "crate::omit::is_default")]
    pub begins: bool,
    /// Since when the other installation does not answer, in ms since 1970 on the store's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away_since_ms: Option<u64>,
    /// The revision that the stage gets; of a git stage the one that was pushed.
    #[serde(default)]
    pub revision: String,
    /// The number of its rollout; 0: none was needed.
    #[serde(default)]
    pub rollout: u64,
    /// How the rollout ended, replica by replica.
    #[serde(default)]
    pub members: Vec<Member>,
}

/// What a revision would do at a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HopPlan {
    /// What differs from what the stage has, in one line.
    pub differs: String,
    /// What restarts, loses state, begins and ends.
    pub effects: Vec<String>,
    /// What the review finds that it did not find before.
    pub findings: Vec<String>,
    /// How the flow's tests went.
    pub tests: String,
    /// Keys that have no value at the stage yet.
    pub missing: Vec<String>,
}

/// One approval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// Who.
    pub actor: String,
    /// When, in ms since 1970 on the store's clock.
    pub time_ms: u64,
    /// Why.
    #[serde(default)]
    pub why: String,
}

impl Run {
    /// True while it is not over.
    pub fn is_active(&self) -> bool {
        self.phase == Phase::Active
    }

    /// What the store knows it by, among the runs of all pipelines that there ever were.
    pub fn id(&self) -> String {
        format!("run {}/{}/{}", self.pipeline.name, self.number, self.started_ms)
    }

    /// The stage of the hop that is at work.
    pub fn stage(&self) -> Option<&StageSpec> {
        self.pipeline.stages.get(self.hop()?.at)
    }

    /// The hop that is at work.
    pub fn hop(&self) -> Option<&Hop> {
        self.hops.iter().find(|hop| hop.step != Step::Done)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Phase::Active => "active",
            Phase::Done => "done",
            Phase::Failed => "failed",
            Phase::Rejected => "rejected",
            Phase::Cancelled => "cancelled",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Step::Take => "take",
            Step::Check => "check",
            Step::Wait => "wait",
            Step::Deploy => "deploy",
            Step::Follow => "rollout",
            Step::Done => "done",
        })
    }
}
