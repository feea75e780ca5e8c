//! Rollouts: status, pause, resume, cancel.

use axum::Json;
use axum::extract::State;
use flotilla_api::Problem;
use flotilla_api::member::By;
use flotilla_api::rollout::{Rollout as Record, RolloutStatus};
use flotilla_group::host::Hosts;
use flotilla_group::rollout::{Action, GroupView, Rollout, decide};

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::parameters::Path;
use super::problem::Failure;

/// `GET /api/v1/groups/{group}/rollout`
pub(super) async fn status(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<RolloutStatus>, Failure> {
    let desired = api.desired(&group)?;
    let Some((state, _)) = desired.load().await? else {
        return Err(
            Problem::new(404, "no_revision", format!("group \"{group}\" has no revision yet: deploy one")).into()
        );
    };
    let (mut waits, mut driver) = (None, None);
    if let Some(rollout) = state.active() {
        driver = desired.driver().await?;
        waits = waits_for(&api, &group, rollout).await?;
    }
    Ok(Json(RolloutStatus {
        goal: state.goal().to_owned(),
        revision: state.revision,
        previous: state.previous,
        rollout: state.rollout.map(|rollout| rollout.0),
        waits_for: waits,
        driver,
    }))
}

/// What a rollout waits for now; `None`: for nothing, or it is over.
pub(super) async fn waits_for(api: &Api, group: &str, rollout: &Rollout) -> Result<Option<String>, Failure> {
    if !rollout.is_active() {
        return Ok(None);
    }
    let zones = Hosts::new(api.store.clone()).zones().await?;
    let replicas = api.registry(group)?.staying().await?;
    let seen = GroupView { now_ms: api.desired(group)?.now_ms().await?, replicas, zones };
    match decide(rollout, &seen) {
        Action::Wait { why } => Ok(Some(why)),
        _ => Ok(None),
    }
}

/// `POST /api/v1/groups/{group}/rollout/{pause|resume|cancel}`
pub(super) async fn change(
    State(api): State<Api>,
    Path((group, what)): Path<(String, String)>,
    caller: Caller,
    Body(By { .. }): Body<By>,
) -> Result<Json<Record>, Failure> {
    let change = match what.as_str() {
        "pause" => Rollout::pause,
        "resume" => Rollout::resume,
        "cancel" => Rollout::cancel,
        other => {
            let detail = format!("a rollout cannot \"{other}\": use pause, resume or cancel");
            return Err(Problem::new(404, "not_found", detail).into());
        }
    };
    Ok(Json(api.desired(&group)?.change(caller.origin(), change).await?.0))
}
