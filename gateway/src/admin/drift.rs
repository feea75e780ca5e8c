//! How a group stands to the pipeline that it is a stage of.

use flotilla_group::pipeline::{Phase, Run, Step};

use super::api::Api;
use super::problem::Failure;

/// `up to date`, `locally changed` (it runs another revision than its last run brought), `stale` (the stage before has a
/// newer one), `failed` (its last run did), or nothing: it is of no pipeline, the first stage, or no run came to it.
pub(super) async fn drift(api: &Api, group: &str, revision: &str) -> Result<String, Failure> {
    for spec in api.pipelines().list().await? {
        let Some(at) = spec.stages.iter().position(|stage| stage.group.as_deref() == Some(group)) else { continue };
        if at == 0 {
            continue;
        }
        let runs = api.runs(&spec.name)?.list().await?;
        let Some((run, hop)) = runs.iter().rev().find_map(|run| Some((run, came(run, at)?))) else { continue };
        if hop.step != Step::Done {
            return Ok(word("failed", &spec.name, run));
        }
        if hop.revision != revision {
            return Ok(word("locally changed", &spec.name, run));
        }
        let before = &spec.stages[at - 1];
        let newer = match &before.group {
            Some(before) => api.desired(before)?.load().await?.is_some_and(|(state, _)| state.revision != hop.source),
            None => false,
        };
        return Ok(word(if newer { "stale" } else { "up to date" }, &spec.name, run));
    }
    Ok(String::new())
}

fn word(what: &str, pipeline: &str, run: &Run) -> String {
    format!("{what} (pipeline {pipeline}, run {})", run.number)
}

/// The hop of a run that came to a stage, or failed on its way there.
fn came(run: &Run, at: usize) -> Option<&flotilla_group::pipeline::Hop> {
    let hop = run.hops.iter().find(|hop| hop.at == at)?;
    let failed = run.phase == Phase::Failed && run.hop().is_some_and(|next| next.at == at);
    (hop.step == Step::Done || failed).then_some(hop)
}
