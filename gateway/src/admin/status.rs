//! The replicas of a group.

use axum::Json;
use axum::extract::{Path, State};
use flotilla_api::replica::ReplicaRecord;
use flotilla_group::rights::Right;

use super::api::Api;
use super::caller::Caller;
use super::problem::Failure;

/// `GET /api/v1/status`: the replicas of the gateway's own group, by id.
pub(super) async fn status(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<ReplicaRecord>>, Failure> {
    caller.require(Right::View, &api.group)?;
    Ok(Json(api.registry(&api.group)?.list().await?))
}

/// `GET /api/v1/groups/{group}/replicas`: the replicas of a group, by id.
pub(super) async fn replicas(
    State(api): State<Api>,
    Path(group): Path<String>,
) -> Result<Json<Vec<ReplicaRecord>>, Failure> {
    Ok(Json(api.registry(&group)?.list().await?))
}
