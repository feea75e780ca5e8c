//! What comes next in a run: pure, so that it does not matter which gateway acts.

use flotilla_api::pipeline::{Hop, Run, StageSpec, Step};

use super::window;

/// What a run is judged by, besides itself.
#[derive(Clone, Debug, Default)]
pub struct RunContext {
    /// The store's clock.
    pub now_ms: u64,
    /// The number of a run of the same pipeline that is to end first.
    pub before: Option<u64>,
    /// Keys that have no value at the stage now; `None` while nobody looked.
    pub missing: Option<Vec<String>>,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Take what goes on from the stage before.
    Take,
    /// Look at it: what it would do, review, tests.
    Check,
    /// Look which keys have no value at the stage now.
    LookForMissing,
    /// Nothing until something changes.
    Wait {
        /// What is waited for.
        why: String,
    },
    /// All gates are open: say so.
    Open,
    /// Begin at the stage.
    Deploy,
    /// Look how the rollout goes.
    Follow,
    /// Every stage has it.
    End,
}

/// What comes next in an active run.
pub fn next(run: &Run, seen: &RunContext) -> Next {
    if let Some(number) = seen.before {
        return Next::Wait { why: format!("run {number} is to end first") };
    }
    let Some(hop) = run.hop() else { return Next::End };
    let Some(stage) = run.pipeline.stages.get(hop.at) else { return Next::End };
    match hop.step {
        Step::Take => Next::Take,
        Step::Check => Next::Check,
        Step::Wait => gates(hop, stage, seen),
        Step::Deploy => Next::Deploy,
        Step::Follow => Next::Follow,
        Step::Done => Next::End,
    }
}

fn gates(hop: &Hop, stage: &StageSpec, seen: &RunContext) -> Next {
    let Some(missing) = &seen.missing else { return Next::LookForMissing };
    if !missing.is_empty() {
        let group = match &stage.remote {
            Some(there) => format!("{} --admin {}", there.group, there.url),
            None => stage.group.clone().unwrap_or_default(),
        };
        let why = format!(
            "values for {}: set them with `flotilla env set --group {group} NAME=VALUE` (or --secret) and `flotilla deploy \
             --group {group} --credential NODE.FIELD=VALUE`",
            missing.join(", ")
        );
        return Next::Wait { why };
    }
    let open = (stage.gates.approvals as usize).saturating_sub(hop.approvals.len());
    if open > 0 {
        let had: Vec<&str> = hop.approvals.iter().map(|approval| approval.actor.as_str()).collect();
        let had = if had.is_empty() { String::new() } else { format!(" (has: {})", had.join(", ")) };
        return Next::Wait { why: format!("{open} more approvals for stage {}{had}", stage.name) };
    }
    match stage.gates.window.as_ref().map(|window| window::opens(window, seen.now_ms)) {
        None | Some(Ok(())) => Next::Open,
        Some(Err(Some(when))) => Next::Wait { why: format!("the window of stage {}: it opens {when}", stage.name) },
        Some(Err(None)) => Next::Wait { why: format!("the window of stage {}: it does not open any more", stage.name) },
    }
}
