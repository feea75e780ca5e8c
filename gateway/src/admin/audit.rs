//! The audit logs.

use axum::Json;
use axum::extract::{Path, State};
use flotilla_api::audit::AuditEntry;

use super::api::Api;
use super::problem::Failure;

/// `GET /api/v1/groups/{group}/audit`: oldest first.
pub(super) async fn of_group(
    State(api): State<Api>,
    Path(group): Path<String>,
) -> Result<Json<Vec<AuditEntry>>, Failure> {
    Ok(Json(api.audit(&group)?.list().await?))
}

/// `GET /api/v1/audit`: what concerns no group: users, tokens, logins. Oldest first.
pub(super) async fn system(State(api): State<Api>) -> Result<Json<Vec<AuditEntry>>, Failure> {
    Ok(Json(api.system_audit().list().await?))
}
