//! What comes begins at a group of another installation, and its rollout there is followed.

use flotilla_api::rollout::{Phase, Step};
use flotilla_api::transfer::{TransferProgress, TransferState, Transferred};
use flotilla_group::pipeline::{Hop, RemoteStage, Run, StageSpec, Steps};

use super::driver::PipelineDriver;
use super::remote_reach::{id, trouble};
use super::trouble::Trouble;
use super::turn::Progress;
use crate::installation::Fault;

impl PipelineDriver {
    /// Whether it can begin there now.
    pub(super) async fn may_begin_far(
        &self,
        run: &Run,
        hop: &Hop,
        stage: &StageSpec,
        there: &RemoteStage,
    ) -> Result<(), Trouble> {
        let far = self.reach(run, stage, there).await?;
        let state = far.state(&id(run, stage)).await.map_err(|fault| trouble(fault, run, stage))?;
        if let Some(number) = state.active.filter(|_| state.begun.is_none()) {
            return Err(Trouble::Waits(format!("rollout {number} of group {} is to end first", there.place())));
        }
        let missing = self.missing_far(run, hop, stage, there).await?;
        if missing.is_empty() || state.begun.is_some() {
            return Ok(());
        }
        Err(Trouble::Waits(format!("values for {} in group {}", missing.join(", "), there.place())))
    }

    /// What this run began there before a gateway was killed, or did not get the answer.
    pub(super) async fn begun_far(
        &self,
        run: &Run,
        stage: &StageSpec,
        there: &RemoteStage,
    ) -> Result<Option<(String, u64)>, Trouble> {
        let far = self.reach(run, stage, there).await?;
        let state = far.state(&id(run, stage)).await.map_err(|fault| trouble(fault, run, stage))?;
        Ok(state.begun.map(|begun| (begun.revision, begun.rollout)))
    }

    /// Begins the rollout there: the revision and its number; 0 when the group runs that already.
    pub(super) async fn bring(
        &self,
        run: &Run,
        hop: &Hop,
        stage: &StageSpec,
        there: &RemoteStage,
    ) -> Result<(String, u64), Trouble> {
        let far = self.reach(run, stage, there).await?;
        let transfer = self.transfer_of(run, hop, stage, &self.source(hop).await?).await?;
        let Transferred { revision, rollout } =
            far.transfer(&transfer).await.map_err(|fault| trouble(fault, run, stage))?;
        Ok((revision, rollout))
    }

    /// Looks how the rollout there goes. A token that is not good any more is waited for, as the rollout goes on without it.
    pub(super) async fn follow_far(
        &self,
        run: &mut Run,
        stage: &StageSpec,
        there: &RemoteStage,
        now_ms: u64,
    ) -> Result<Progress, Trouble> {
        let far = self.reach(run, stage, there).await?;
        let state = far.state(&id(run, stage)).await.map_err(|fault| match fault {
            Fault::Token(why) => {
                let (pipeline, stage) = (&run.pipeline.name, &stage.name);
                Trouble::Away(format!("{why}. Give another one with `flotilla pipeline token {pipeline} {stage}`"))
            }
            fault => trouble(fault, run, stage),
        })?;
        run.is_back();
        Ok(went(run, stage, there, state, now_ms))
    }
}

fn went(run: &mut Run, stage: &StageSpec, there: &RemoteStage, state: TransferState, now_ms: u64) -> Progress {
    let by = run.actor.clone();
    let Some((number, revision)) = run.hop().map(|hop| (hop.rollout, hop.revision.clone())) else {
        return Progress::Waits;
    };
    let runs_it = state.revision.as_ref() == Some(&revision);
    let (name, place) = (&stage.name, there.place());
    match state.begun {
        Some(TransferProgress { phase: Some(Phase::Done), members, .. }) => run.arrived(members, &by, now_ms),
        Some(TransferProgress { phase: Some(Phase::Returned), members, from, reason, .. }) => {
            let as_before = if from.is_empty() { String::new() } else { format!(" revision {from}") };
            run.fail(&format!("stage {name}: group {place} runs{as_before} as before: {reason}"), members, &by, now_ms);
        }
        Some(TransferProgress { phase: Some(phase), members, waits_for, .. }) => {
            let moved = members.iter().filter(|member| member.step == Step::Moved).count();
            let going = if phase == Phase::Returning { ", which goes back" } else { "" };
            let why = if waits_for.is_empty() { String::new() } else { format!("; {waits_for}") };
            run.waits_for = format!(
                "rollout {number} of stage {name}, group {place}{going}: {moved} of {} moved{why}",
                members.len()
            );
            return Progress::Waits;
        }
        // Others followed, and how ours ended is not in the audit log any more.
        Some(TransferProgress { phase: None, .. }) | None if runs_it => run.arrived(Vec::new(), &by, now_ms),
        Some(TransferProgress { phase: None, .. }) | None => {
            let why = format!(
                "stage {name}: rollout {number} of group {place} was followed by another, and the group does not run {revision}"
            );
            run.fail(&why, Vec::new(), &by, now_ms);
        }
    }
    Progress::Went
}
