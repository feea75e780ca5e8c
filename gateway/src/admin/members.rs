//! Members: which replica is in which group.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flotilla_group::audit::AuditEntry;
use flotilla_group::member::{Memberships, Registry, ReplicaRecord};
use serde::Deserialize;

use super::api::Api;
use super::groups::entry;
use super::problem::Problem;

/// Who changes it.
#[derive(Deserialize)]
pub(super) struct By {
    #[serde(default)]
    actor: String,
}

/// `GET /api/v1/replicas`: all living replicas, group by group; those in no group (`"group": ""`) first.
pub(super) async fn everywhere(State(api): State<Api>) -> Result<Json<Vec<ReplicaRecord>>, Problem> {
    let mut replicas = Registry::spare(&api.store).await?;
    for spec in api.specs().list().await? {
        replicas.extend(api.registry(&spec.name)?.list().await?);
    }
    Ok(Json(replicas))
}

/// `PUT /api/v1/groups/{group}/members/{replica}?actor=`: puts a replica into a group. Refused while it is in another.
pub(super) async fn add(
    State(api): State<Api>,
    Path((group, replica)): Path<(String, String)>,
    Query(by): Query<By>,
) -> Result<StatusCode, Problem> {
    api.specs().get(&group).await?;
    Memberships::new(api.store.clone()).add(&replica, &group).await?;
    let entry = AuditEntry { replica, ..entry(&by.actor, "member-add", String::new()) };
    api.audit(&group)?.write(entry).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/groups/{group}/members/{replica}?actor=`: takes a replica out of a group; a rollout goes on without it.
pub(super) async fn remove(
    State(api): State<Api>,
    Path((group, replica)): Path<(String, String)>,
    Query(by): Query<By>,
) -> Result<StatusCode, Problem> {
    api.specs().get(&group).await?;
    Memberships::new(api.store.clone()).remove(&replica, &group).await?;
    let actor = if by.actor.is_empty() { "admin" } else { by.actor.as_str() };
    api.courses(&group)?.take_out(&replica, actor).await?;
    let entry = AuditEntry { replica, ..entry(&by.actor, "member-remove", String::new()) };
    api.audit(&group)?.write(entry).await?;
    Ok(StatusCode::NO_CONTENT)
}
