//! Pipelines and their runs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use flotilla_api::Problem;
use flotilla_group::pipeline::{NewRun, Phase, PipelineSpec, Run, StageSpec, StageToken, Steps, Verdict};
use flotilla_group::rights::Right;

use super::api::{Api, Of};
use super::body::Body;
use super::caller::Caller;
use super::paging::{Page, Paging};
use super::parameters::Path;
use super::problem::Failure;
use crate::installation::{Fault, Installation};

/// `GET /api/v1/pipelines`: by name.
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
) -> Result<Page<PipelineSpec>, Failure> {
    let list = api.pipelines().list().await?;
    paging.of(list.into_iter().filter(|spec| sees(&caller, spec)).collect(), |spec| spec.name.clone())
}

/// `GET /api/v1/pipelines/{name}`
pub(super) async fn get(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<PipelineSpec>, Failure> {
    Ok(Json(seen(&api, &caller, &name).await?))
}

/// `POST /api/v1/pipelines`: its groups must be there, and be the caller's own.
pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    Body(spec): Body<PipelineSpec>,
) -> Result<(StatusCode, Json<PipelineSpec>), Failure> {
    flotilla_group::pipeline::check(&spec)?;
    owns(&caller, &spec)?;
    for group in groups(&spec) {
        api.specs().get(group).await?;
    }
    api.pipelines().add(&spec).await?;
    audit(&api, &spec, &caller, "pipeline-add").await?;
    Ok((StatusCode::CREATED, Json(spec)))
}

/// `DELETE /api/v1/pipelines/{name}`: refused while a run is active.
pub(super) async fn remove(Of(api): Of, Path(name): Path<String>, caller: Caller) -> Result<StatusCode, Failure> {
    let spec = seen(&api, &caller, &name).await?;
    owns(&caller, &spec)?;
    api.pipelines().remove(&name).await?;
    audit(&api, &spec, &caller, "pipeline-remove").await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /api/v1/pipelines/{name}/stages/{stage}/token`: what a group of another installation is reached with. A token that is
/// not good there, or lacks the right to deploy, is refused now and not in the middle of a run.
pub(super) async fn set_token(
    Of(api): Of,
    caller: Caller,
    Path((name, stage)): Path<(String, String)>,
    Body(StageToken { token }): Body<StageToken>,
) -> Result<StatusCode, Failure> {
    let spec = seen(&api, &caller, &name).await?;
    owns(&caller, &spec)?;
    let there = spec.stages.iter().find(|one| one.name == stage).and_then(|stage| stage.remote.as_ref());
    let there = there.ok_or_else(|| {
        let detail = format!("pipeline \"{name}\" has no stage \"{stage}\" that is a group of another installation");
        Problem::new(404, "no_such_stage", detail).of_field("stage")
    })?;
    let tried = async { Installation::new(there, &token)?.try_token().await };
    tried.await.map_err(|fault| match fault {
        Fault::Away(why) => Problem::new(502, "installation_away", format!("the token cannot be tried: {why}")),
        fault => Problem::new(422, "token_refused", fault.why()).of_field("token"),
    })?;
    let tokens = api.stage_tokens(&name)?;
    tokens.set(&stage, &there.url, &token, api.key().await?.as_deref()).await?;
    let why = format!("pipeline {name}: a token for stage {stage}, group {}", there.place());
    write_audit(&api, &spec, &caller, "pipeline-token", &why).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/pipelines/{name}/runs`: oldest first.
pub(super) async fn runs(
    State(api): State<Api>,
    caller: Caller,
    Path(name): Path<String>,
    paging: Paging,
) -> Result<Page<Run>, Failure> {
    seen(&api, &caller, &name).await?;
    let mut runs = api.runs(&name)?.list().await?;
    let first = runs.iter().find(|run| run.is_active()).map(|run| run.number);
    for run in &mut runs {
        queued(run, first);
    }
    paging.of(runs, |run| run.number)
}

/// `GET /api/v1/pipelines/{name}/runs/{number}`
pub(super) async fn run(
    State(api): State<Api>,
    caller: Caller,
    Path((name, number)): Path<(String, u64)>,
) -> Result<Json<Run>, Failure> {
    seen(&api, &caller, &name).await?;
    let (mut run, _) = api.runs(&name)?.get(number).await?;
    let first = api.runs(&name)?.list().await?.iter().find(|run| run.is_active()).map(|run| run.number);
    queued(&mut run, first);
    Ok(Json(run))
}

/// A run that another is to end before says so.
fn queued(run: &mut Run, first: Option<u64>) {
    if let Some(first) = first.filter(|first| run.is_active() && *first < run.number) {
        run.waits_for = format!("run {first} is to end first");
    }
}

/// `POST /api/v1/pipelines/{name}/runs`: begins a run; those that are active end first.
pub(super) async fn begin(
    State(api): State<Api>,
    caller: Caller,
    Path(pipeline): Path<String>,
    Body(new): Body<NewRun>,
) -> Result<(StatusCode, Json<Run>), Failure> {
    let spec = seen(&api, &caller, &pipeline).await?;
    let run = flotilla_group::pipeline::begin(&spec, &new, 0, caller.name(), 0)?;
    if let Some(group) = spec.stages.get(run.from).and_then(|stage| stage.group.as_deref()) {
        caller.require(Right::View, group)?;
    }
    for stage in run.hops.iter().filter_map(|hop| spec.stages.get(hop.at)) {
        may_deploy(&api, &caller, &spec, stage).await?;
    }
    let run = api.runs(&pipeline)?.begin(&spec, &new, caller.name()).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

/// `POST /api/v1/pipelines/{name}/runs/{number}/{approve|reject|cancel}`
pub(super) async fn judge(
    State(api): State<Api>,
    caller: Caller,
    Path((pipeline, number, what)): Path<(String, u64, String)>,
    Body(verdict): Body<Verdict>,
) -> Result<Json<Run>, Failure> {
    seen(&api, &caller, &pipeline).await?;
    let runs = api.runs(&pipeline)?;
    let (run, _) = runs.get(number).await?;
    if let Some(stage) = run.hop().and_then(|hop| run.pipeline.stages.get(hop.at)) {
        let own = what == "cancel" && run.actor == caller.name();
        if !own {
            may_deploy(&api, &caller, &run.pipeline, stage).await?;
        }
    }
    let Verdict { why } = &verdict;
    let actor = caller.name();
    let run = match what.as_str() {
        "approve" => runs.change(number, |run, now| run.approve(actor, why, now)).await?,
        "reject" => runs.change(number, |run, now| run.stop(Phase::Rejected, actor, why, now)).await?,
        "cancel" => runs.change(number, |run, now| run.stop(Phase::Cancelled, actor, why, now)).await?,
        other => {
            let detail = format!("a run cannot \"{other}\": use approve, reject or cancel");
            return Err(Problem::new(404, "not_found", detail).into());
        }
    };
    Ok(Json(run))
}

fn groups(spec: &PipelineSpec) -> impl Iterator<Item = &str> {
    spec.stages.iter().filter_map(|stage| stage.group.as_deref())
}

/// Who may look at one of its groups may look at it.
fn sees(caller: &Caller, spec: &PipelineSpec) -> bool {
    groups(spec).any(|group| caller.sees(group)) || caller.require_any(Right::Administer).is_ok()
}

async fn seen(api: &Api, caller: &Caller, name: &str) -> Result<PipelineSpec, Failure> {
    let spec = api.pipelines().get(name).await?;
    if sees(caller, &spec) {
        return Ok(spec);
    }
    let first = groups(&spec).next();
    match first {
        Some(group) => caller.require(Right::View, group)?,
        None => caller.require_any(Right::Administer)?,
    }
    Ok(spec)
}

/// Whoever makes or removes a pipeline owns its groups.
fn owns(caller: &Caller, spec: &PipelineSpec) -> Result<(), Failure> {
    if groups(spec).next().is_none() {
        return caller.require_any(Right::Administer);
    }
    groups(spec).try_for_each(|group| caller.require(Right::Own, group))
}

/// Whoever brings something to a stage, or decides about it, may deploy to its group. A repository is any of its groups'.
async fn may_deploy(api: &Api, caller: &Caller, spec: &PipelineSpec, stage: &StageSpec) -> Result<(), Failure> {
    if let Some(group) = &stage.group {
        return caller.require_deploy(api, group).await;
    }
    let mut refused = None;
    for group in groups(spec) {
        match caller.require_deploy(api, group).await {
            Ok(()) => return Ok(()),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    refused.map_or_else(|| caller.require_any(Right::Administer), Err)
}

async fn audit(api: &Api, spec: &PipelineSpec, caller: &Caller, action: &str) -> Result<(), Failure> {
    write_audit(api, spec, caller, action, &format!("pipeline {}", spec.name)).await
}

async fn write_audit(api: &Api, spec: &PipelineSpec, caller: &Caller, action: &str, why: &str) -> Result<(), Failure> {
    if groups(spec).next().is_none() {
        return Ok(api.system_audit().write(caller.entry(action, why)).await?);
    }
    for group in groups(spec) {
        api.audit(group)?.write(caller.entry(action, why)).await?;
    }
    Ok(())
}
