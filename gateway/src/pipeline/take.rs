//! What goes on from a stage to the next.

use flotilla_group::pipeline::{Action, Hop, Run, StageSpec, Taken};
use flotilla_group::revision::Revision;

use super::driver::PipelineDriver;
use super::git::{Pulled, pull};
use super::trouble::Trouble;

/// Contents of revisions belong to no group: any name does.
pub(super) const ANY: &str = "any";

/// The hop at work, its stage and the stage before.
pub(super) fn at_work(run: &Run) -> Result<(&Hop, &StageSpec, &StageSpec), Trouble> {
    let gone = || Trouble::Fails("the run has no such stage".to_owned());
    let hop = run.hop().ok_or_else(gone)?;
    let stage = run.pipeline.stages.get(hop.at).ok_or_else(gone)?;
    let before = hop.at.checked_sub(1).and_then(|at| run.pipeline.stages.get(at)).ok_or_else(gone)?;
    Ok((hop, stage, before))
}

impl PipelineDriver {
    /// What the stage before gives.
    pub(super) async fn take(&self, run: &Run) -> Result<Taken, Trouble> {
        let (hop, stage, before) = at_work(run)?;
        if let Some(stage) = &before.git {
            let pulled = pull(stage, self.api.key().await?.as_deref()).await?;
            let revisions = self.api.revisions(ANY)?;
            let source = revisions.keep(&pulled.revision).await?;
            if let Some(tests) = &pulled.tests {
                revisions.set_tests(&source, tests).await?;
            }
            let Pulled { commit, author, .. } = pulled;
            return Ok(Taken { source, commit, author, ..Taken::default() });
        }
        if let Some(there) = &before.remote {
            return self.take_far(run, hop, before, there).await;
        }
        let Some(group) = &before.group else {
            return Err(Trouble::Fails(format!("stage \"{}\" is not a group", before.name)));
        };
        let snapshots = self.api.snapshots(group)?;
        let given = |snapshot: flotilla_group::snapshot::Snapshot| Taken {
            group: group.clone(),
            source: snapshot.revision,
            snapshot: snapshot.id,
            author: snapshot.actor,
            commit: String::new(),
        };
        if let Some(asked) = run.asked.as_ref().filter(|_| hop.at == run.from + 1) {
            return Ok(given(snapshots.find(asked).await?));
        }
        let state = self.api.desired(group)?.load().await?.map(|(state, _)| state);
        let Some(state) = state else {
            return Err(Trouble::Fails(format!("group \"{group}\" has no revision yet")));
        };
        let list = snapshots.list().await?;
        match before.action {
            Action::UseLatestSnapshot => {
                let last = list.into_iter().next_back();
                last.map(given).ok_or_else(|| Trouble::Fails(format!("group \"{group}\" has no snapshot: create one")))
            }
            Action::UseActiveSnapshot => {
                let active = list.into_iter().rev().find(|snapshot| snapshot.revision == state.revision);
                let why = || {
                    let revision = &state.revision;
                    Trouble::Fails(format!(
                        "group \"{group}\" runs revision {revision}, which has no snapshot: create one"
                    ))
                };
                active.map(given).ok_or_else(why)
            }
            Action::CreateSnapshot => {
                if let Some(active) = state.active() {
                    let why = format!("rollout {} of group {group} is to end first", active.number);
                    return Err(Trouble::Waits(why));
                }
                let (name, number) = (&run.pipeline.name, run.number);
                let description =
                    format!("made for run {number} of pipeline {name}, from {} to {}", before.name, stage.name);
                let (title, id) = (format!("{name} run {number}"), run.id());
                // Unless a gateway made it before it was killed.
                let (snapshot, _) = snapshots.add_once(&title, &description, &state.revision, &run.actor, &id).await?;
                Ok(given(snapshot))
            }
            Action::Prompt | Action::None => {
                Err(Trouble::Fails(format!("stage \"{}\" gives nothing on by itself", before.name)))
            }
        }
    }

    /// The content of what was taken.
    pub(super) async fn source(&self, hop: &Hop) -> Result<Revision, Trouble> {
        Ok(self.api.revisions(ANY)?.load(&hop.source).await?)
    }
}
