//! `GET /api/v1/status`: the replicas of the group.

use axum::Json;
use axum::extract::State;
use flotilla_group::member::{Registry, ReplicaRecord};

use super::problem::Problem;

/// The replicas of the group, by id.
pub(super) async fn status(State(registry): State<Registry>) -> Result<Json<Vec<ReplicaRecord>>, Problem> {
    Ok(Json(registry.list().await?))
}
