//! Members: which replica is in which group.

use axum::extract::State;
use axum::http::StatusCode;
use flotilla_api::audit::AuditEntry;
use flotilla_api::member::By;
use flotilla_api::replica::ReplicaRecord;
use flotilla_group::member::{Memberships, Registry};

use super::api::Api;
use super::caller::Caller;
use super::paging::{Page, Paging};
use super::parameters::{Path, Query};
use super::problem::Failure;

/// `GET /api/v1/replicas`: all living replicas, group by group; those in no group (`"group": ""`) first.
pub(super) async fn everywhere(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
) -> Result<Page<ReplicaRecord>, Failure> {
    let mut replicas = Registry::spare(&api.store).await?;
    for spec in api.specs().list().await?.into_iter().filter(|spec| caller.sees(&spec.name)) {
        replicas.extend(api.registry(&spec.name)?.list().await?);
    }
    paging.of(replicas, |replica| (replica.group.clone(), replica.id.clone()))
}

/// `PUT /api/v1/groups/{group}/members/{replica}`: puts a replica into a group. Refused while it is in another.
pub(super) async fn add(
    State(api): State<Api>,
    Path((group, replica)): Path<(String, String)>,
    caller: Caller,
    Query(By { .. }): Query<By>,
) -> Result<StatusCode, Failure> {
    api.specs().get(&group).await?;
    Memberships::new(api.store.clone()).add(&replica, &group).await?;
    let entry = AuditEntry { replica, ..caller.entry("member-add", "") };
    api.audit(&group)?.write(entry).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/groups/{group}/members/{replica}`: takes a replica out of a group; a rollout goes on without it.
pub(super) async fn remove(
    State(api): State<Api>,
    Path((group, replica)): Path<(String, String)>,
    caller: Caller,
    Query(By { .. }): Query<By>,
) -> Result<StatusCode, Failure> {
    api.specs().get(&group).await?;
    let memberships = Memberships::new(api.store.clone());
    memberships.check(&replica, &group).await?;
    // First: a rollout that saw it leave would take that for its death.
    api.desired(&group)?.take_out(&replica, caller.origin()).await?;
    memberships.remove(&replica, &group).await?;
    let entry = AuditEntry { replica, ..caller.entry("member-remove", "") };
    api.audit(&group)?.write(entry).await?;
    Ok(StatusCode::NO_CONTENT)
}
