//! What a group of another installation gives.

use flotilla_api::snapshot::{NewSnapshot, Snapshot};
use flotilla_flows::Document;
use flotilla_group::pipeline::{Action, Hop, RemoteStage, Run, StageSpec, Taken};
use flotilla_group::revision::Revision;

use super::driver::PipelineDriver;
use super::remote_reach::{id, trouble};
use super::take::ANY;
use super::trouble::Trouble;

impl PipelineDriver {
    /// What the stage before, a group of another installation, gives.
    pub(super) async fn take_far(
        &self,
        run: &Run,
        hop: &Hop,
        before: &StageSpec,
        there: &RemoteStage,
    ) -> Result<Taken, Trouble> {
        let far = self.reach(run, before, there).await?;
        let fault = |fault| trouble(fault, run, before);
        let place = there.place();
        let snapshot = match run.asked.as_ref().filter(|_| hop.at == run.from + 1) {
            Some(asked) => far.snapshot(asked).await.map_err(fault)?,
            None => match before.action {
                Action::UseLatestSnapshot => {
                    let none = || Trouble::Fails(format!("group {place} has no snapshot: create one"));
                    far.snapshots().await.map_err(fault)?.into_iter().next_back().ok_or_else(none)?
                }
                Action::UseActiveSnapshot => {
                    let runs = far.state(&id(run, before)).await.map_err(fault)?.revision.unwrap_or_default();
                    let none = || {
                        Trouble::Fails(format!(
                            "group {place} runs revision \"{runs}\", which has no snapshot: create one"
                        ))
                    };
                    let mut all = far.snapshots().await.map_err(fault)?.into_iter();
                    all.rfind(|snapshot: &Snapshot| snapshot.revision == runs).ok_or_else(none)?
                }
                Action::CreateSnapshot => {
                    if let Some(number) = far.state(&id(run, before)).await.map_err(fault)?.active {
                        return Err(Trouble::Waits(format!("rollout {number} of group {place} is to end first")));
                    }
                    let new = NewSnapshot {
                        name: format!("{} run {}", run.pipeline.name, run.number),
                        description: format!(
                            "made for run {} of pipeline {} of another installation, from {} to {}",
                            run.number, run.pipeline.name, before.name, hop.stage
                        ),
                        revision: None,
                        once: Some(id(run, before)),
                    };
                    far.add_snapshot(&new).await.map_err(fault)?
                }
                Action::Prompt | Action::None => {
                    return Err(Trouble::Fails(format!("stage \"{}\" gives nothing on by itself", before.name)));
                }
            },
        };
        let content = far.content(&snapshot.revision).await.map_err(fault)?;
        Document::from_value(content.flows.clone())
            .map_err(|error| Trouble::Fails(format!("snapshot {} of group {place}: {error}", snapshot.id)))?;
        let revision = Revision {
            flows: content.flows,
            settings: content.settings,
            nodes: content.nodes,
            missing: content.needs,
            ..Revision::default()
        };
        let revisions = self.api.revisions(ANY)?;
        let source = revisions.keep(&revision).await?;
        if let Some(tests) = &content.tests {
            revisions.set_tests(&source, tests).await?;
        }
        Ok(Taken { group: place, source, commit: String::new(), snapshot: snapshot.id, author: snapshot.actor })
    }
}
