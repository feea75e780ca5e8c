//! Revisions: list and show.

use axum::Json;
use axum::extract::{Path, State};
use flotilla_group::audit::AuditEntry;
use flotilla_group::revision::Given;
use serde_json::{Value, json};

use super::api::Api;
use super::problem::Problem;

/// `GET /api/v1/groups/{group}/revisions`: oldest first.
pub(super) async fn list(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<Vec<Given>>, Problem> {
    Ok(Json(api.revisions(&group)?.list().await?))
}

/// `GET /api/v1/groups/{group}/revisions/{id}`: the document, its env and settings. Credentials are never shown.
pub(super) async fn get(
    State(api): State<Api>,
    Path((group, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let revisions = api.revisions(&group)?;
    let id = revisions.resolve(&id).await?;
    let revision = revisions.load(&id).await?;
    let body = json!({
        "id": id, "flows": revision.flows, "env": revision.env, "settings": revision.settings,
        "message": revision.message, "has_credentials": !revision.credentials.is_null(),
    });
    Ok(Json(body))
}

/// `GET /api/v1/groups/{group}/audit`: oldest first.
pub(super) async fn audit(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<Vec<AuditEntry>>, Problem> {
    Ok(Json(api.audit(&group)?.list().await?))
}
