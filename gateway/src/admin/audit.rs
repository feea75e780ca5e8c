//! The audit logs.

use axum::Json;
use axum::extract::State;
use flotilla_api::audit::{AuditChain, AuditEntry, AuditFilter};

use super::api::Api;
use super::parameters::{Path, Query};
use super::problem::Failure;

/// `GET /api/v1/groups/{group}/audit`: oldest first.
pub(super) async fn of_group(
    State(api): State<Api>,
    Path(group): Path<String>,
    Query(filter): Query<AuditFilter>,
) -> Result<Json<Vec<AuditEntry>>, Failure> {
    Ok(Json(filter.of(api.audit(&group)?.list().await?)))
}

/// `GET /api/v1/audit`: what concerns no group: users, tokens, logins. Oldest first.
pub(super) async fn system(
    State(api): State<Api>,
    Query(filter): Query<AuditFilter>,
) -> Result<Json<Vec<AuditEntry>>, Failure> {
    Ok(Json(filter.of(api.system_audit().list().await?)))
}

/// `GET /api/v1/groups/{group}/audit/chain`: what `flotilla audit verify` checks.
pub(super) async fn chain_of_group(
    State(api): State<Api>,
    Path(group): Path<String>,
) -> Result<Json<AuditChain>, Failure> {
    Ok(Json(api.audit(&group)?.chain().await?))
}

/// `GET /api/v1/audit/chain`
pub(super) async fn system_chain(State(api): State<Api>) -> Result<Json<AuditChain>, Failure> {
    Ok(Json(api.system_audit().chain().await?))
}
