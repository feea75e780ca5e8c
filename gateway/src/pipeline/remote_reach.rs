//! The way to another installation, and what goes there.

use flotilla_api::transfer::Transfer;
use flotilla_group::pipeline::{Hop, RemoteStage, Run, StageSpec};
use flotilla_group::revision::Revision;

use super::driver::PipelineDriver;
use super::take::ANY;
use super::trouble::Trouble;
use crate::admin::travels;
use crate::installation::{Fault, Installation};

/// By what the other installation knows a run at a stage: a second request begins nothing there.
pub(super) fn id(run: &Run, stage: &StageSpec) -> String {
    format!("{}/{}", run.id(), stage.name)
}

/// What a fault means for a run.
pub(super) fn trouble(fault: Fault, run: &Run, stage: &StageSpec) -> Trouble {
    match fault {
        Fault::Never(why) => Trouble::Fails(why),
        Fault::NotNow(why) => Trouble::Waits(why),
        Fault::Away(why) => Trouble::Away(why),
        Fault::Token(why) => Trouble::Fails(format!(
            "{why}. Give stage {0} another one with `flotilla pipeline token {1} {0}`, and run again",
            stage.name, run.pipeline.name
        )),
    }
}

impl PipelineDriver {
    /// The group of a stage.
    ///
    /// # Errors
    /// [`Trouble::Waits`] while the stage has no token.
    pub(super) async fn reach(
        &self,
        run: &Run,
        stage: &StageSpec,
        there: &RemoteStage,
    ) -> Result<Installation, Trouble> {
        let pipeline = &run.pipeline.name;
        let key = self.api.key().await?;
        let token = self.api.stage_tokens(pipeline)?.get(&stage.name, &there.url, key.as_deref()).await?;
        let token = token.ok_or_else(|| {
            let stage = &stage.name;
            Trouble::Waits(format!(
                "a token for {}: give it with `flotilla pipeline token {pipeline} {stage}`",
                there.url
            ))
        })?;
        Installation::new(there, &token).map_err(|fault| trouble(fault, run, stage))
    }

    /// What goes there.
    pub(super) async fn transfer_of(
        &self,
        run: &Run,
        hop: &Hop,
        stage: &StageSpec,
        source: &Revision,
    ) -> Result<Transfer, Trouble> {
        let tests = self.api.revisions(ANY)?.tests(&hop.source).await?;
        let thread = format!("run {} of pipeline {}", run.number, run.pipeline.name);
        let message = if run.message.is_empty() { String::new() } else { format!(": {}", run.message) };
        Ok(Transfer {
            content: travels(source, tests, self.api.key().await?.as_deref())?,
            own_settings: stage.own_settings.clone(),
            id: id(run, stage),
            why: format!("{thread} of another installation, begun by {}", run.actor),
            message: format!("{thread}{message}"),
        })
    }
}
