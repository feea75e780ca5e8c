//! Members: which replica is in which group.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flotilla_api::audit::AuditEntry;
use flotilla_api::member::By;
use flotilla_api::replica::ReplicaRecord;
use flotilla_group::member::{Memberships, Registry};

use super::api::Api;
use super::groups::entry;
use super::problem::Failure;

/// `GET /api/v1/replicas`: all living replicas, group by group; those in no group (`"group": ""`) first.
pub(super) async fn everywhere(State(api): State<Api>) -> Result<Json<Vec<ReplicaRecord>>, Failure> {
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
) -> Result<StatusCode, Failure> {
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
) -> Result<StatusCode, Failure> {
    api.specs().get(&group).await?;
    Memberships::new(api.store.clone()).remove(&replica, &group).await?;
    api.desired(&group)?.take_out(&replica, by.name()).await?;
    let entry = AuditEntry { replica, ..entry(&by.actor, "member-remove", String::new()) };
    api.audit(&group)?.write(entry).await?;
    Ok(StatusCode::NO_CONTENT)
}
