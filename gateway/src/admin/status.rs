//! The replicas of a group.

use axum::extract::State;
use flotilla_api::replica::ReplicaRecord;
use flotilla_group::rights::Right;

use super::api::Api;
use super::caller::Caller;
use super::paging::{Page, Paging};
use super::parameters::Path;
use super::problem::Failure;

/// `GET /api/v1/status`: the replicas of the gateway's own group, by id.
pub(super) async fn status(
    State(api): State<Api>,
    caller: Caller,
    paging: Paging,
) -> Result<Page<ReplicaRecord>, Failure> {
    caller.require(Right::View, &api.group)?;
    paging.of(api.registry(&api.group)?.list().await?, |replica| replica.id.clone())
}

/// `GET /api/v1/groups/{group}/replicas`: the replicas of a group, by id.
pub(super) async fn replicas(
    State(api): State<Api>,
    Path(group): Path<String>,
    paging: Paging,
) -> Result<Page<ReplicaRecord>, Failure> {
    paging.of(api.registry(&group)?.list().await?, |replica| replica.id.clone())
}
