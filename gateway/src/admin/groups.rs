//! Groups: list, add, show, remove, scale.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flotilla_api::Problem;
use flotilla_api::audit::AuditEntry;
use flotilla_api::group::{GroupSpec, GroupStatus, Scale};
use flotilla_api::member::name;
use flotilla_api::replica::ReplicaState;
use flotilla_group::spec::Supervision;

use super::api::{Api, Body};
use super::problem::Failure;

/// Replicas of one group on one machine at most.
const MOST: u16 = 64;

async fn show(api: &Api, spec: GroupSpec) -> Result<GroupStatus, Failure> {
    let replicas = api.registry(&spec.name)?.list().await?;
    let state = api.desired(&spec.name)?.load().await?;
    Ok(GroupStatus {
        name: spec.name,
        description: spec.description,
        replicas: spec.replicas,
        rollout: spec.rollout,
        revision: state.map(|(state, _)| state.revision),
        living: replicas.len(),
        ready: replicas.iter().filter(|replica| replica.state == ReplicaState::Ready).count(),
    })
}

/// What a user did, for the audit log.
pub(super) fn entry(actor: &str, action: &str, why: String) -> AuditEntry {
    AuditEntry {
        time_ms: 0,
        actor: name(actor).to_owned(),
        action: action.to_owned(),
        replica: String::new(),
        revision: String::new(),
        why,
        token: 0,
        rollout: 0,
    }
}

/// `GET /api/v1/groups`
pub(super) async fn list(State(api): State<Api>) -> Result<Json<Vec<GroupStatus>>, Failure> {
    let mut shown = Vec::new();
    for spec in api.specs().list().await? {
        shown.push(show(&api, spec).await?);
    }
    Ok(Json(shown))
}

/// `POST /api/v1/groups`
pub(super) async fn add(
    State(api): State<Api>,
    Body(spec): Body<GroupSpec>,
) -> Result<(StatusCode, Json<GroupStatus>), Failure> {
    api.specs().add(&spec).await?;
    api.audit(&spec.name)?.write(entry("", "group-add", spec.description.clone())).await?;
    Ok((StatusCode::CREATED, Json(show(&api, spec).await?)))
}

/// `GET /api/v1/groups/{group}`
pub(super) async fn get(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<GroupStatus>, Failure> {
    let spec = api.specs().get(&group).await?;
    Ok(Json(show(&api, spec).await?))
}

/// `PUT /api/v1/groups/{group}`: replaces what users say of a group. Its name stays.
pub(super) async fn replace(
    State(api): State<Api>,
    Path(group): Path<String>,
    Body(spec): Body<GroupSpec>,
) -> Result<Json<GroupStatus>, Failure> {
    if spec.name != group {
        let detail = format!("the group is \"{group}\", not \"{}\": a group keeps its name", spec.name);
        return Err(Problem::new(400, "bad_name", detail).of_field("name").into());
    }
    api.specs().replace(&spec).await?;
    api.audit(&group)?.write(entry("", "group-edit", spec.description.clone())).await?;
    Ok(Json(show(&api, spec).await?))
}

/// `DELETE /api/v1/groups/{group}`
pub(super) async fn remove(State(api): State<Api>, Path(group): Path<String>) -> Result<StatusCode, Failure> {
    api.specs().remove(&group).await?;
    api.audit(&group)?.write(entry("", "group-remove", String::new())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /api/v1/groups/{group}/scale`: how many replicas the supervisor keeps running.
pub(super) async fn scale(
    State(api): State<Api>,
    Path(group): Path<String>,
    Body(scale): Body<Scale>,
) -> Result<Json<GroupStatus>, Failure> {
    if !(1..=MOST).contains(&scale.replicas) {
        let detail = format!("replicas {} must be 1 to {MOST}", scale.replicas);
        return Err(Problem::new(400, "bad_replicas", detail).of_field("replicas").into());
    }
    api.specs().get(&group).await?;
    if !Supervision::new(api.store.clone(), &group)?.is_there().await? {
        let detail = format!(
            "nobody starts and stops replicas of group \"{group}\", so that nothing would happen: start some with `flotilla \
             replica --group {group}`, or end them"
        );
        return Err(Problem::new(409, "no_supervisor", detail).of_field("replicas").into());
    }
    let spec = api.specs().scale(&group, scale.replicas).await?;
    // A rollout that runs counts with the new size.
    let size = usize::from(scale.replicas);
    let desired = api.desired(&group)?;
    let resized = desired.change(&scale.actor, |rollout, _| {
        rollout.size = size;
        true
    });
    match resized.await {
        Ok(_) | Err(flotilla_group::GroupError::NoRollout { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    api.audit(&group)?.write(entry(&scale.actor, "scale", format!("to {} replicas", scale.replicas))).await?;
    Ok(Json(show(&api, spec).await?))
}
