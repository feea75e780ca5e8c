//! Errors as `application/problem+json` (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flotilla_group::GroupError;
use serde::Serialize;
use serde_json::Value;

/// An error of the admin API. `code` is stable: scripts may rely on it.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, for scripts: for example `store_unavailable`.
    pub code: &'static str,
    /// What went wrong, for people.
    pub detail: String,
    /// The field at fault, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// Everything that is wrong, when it is more than one thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Value>,
}

impl Problem {
    /// A problem without a field.
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, code, detail: detail.into(), field: None, problems: Vec::new() }
    }

    /// The field at fault.
    pub fn of_field(self, field: &'static str) -> Problem {
        Problem { field: Some(field), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl From<GroupError> for Problem {
    fn from(error: GroupError) -> Problem {
        let (status, code, field) = match &error {
            GroupError::Store(_) => (503, "store_unavailable", None),
            GroupError::NoRevision(_) => (404, "no_such_revision", Some("revision")),
            GroupError::BadName { .. } => (400, "bad_name", Some("name")),
            GroupError::IdTaken { .. } => (409, "id_taken", Some("id")),
            GroupError::Corrupt { .. } => (500, "store_corrupt", None),
            GroupError::RolloutActive { .. } => (409, "rollout_active", None),
            GroupError::Unchanged { .. } => (409, "unchanged", Some("revision")),
            GroupError::Rules { field, .. } => (400, "bad_rules", Some(*field)),
            GroupError::NoRollout { .. } => (409, "no_rollout", None),
            GroupError::NoPrevious { .. } => (409, "no_previous_revision", Some("revision")),
            GroupError::NoGroup(_) => (404, "no_such_group", Some("group")),
            GroupError::GroupExists(_) => (409, "group_exists", Some("name")),
            GroupError::GroupInUse { .. } => (409, "group_in_use", None),
            GroupError::NoReplica(_) => (404, "no_such_replica", Some("replica")),
            GroupError::MemberElsewhere { .. } => (409, "member_elsewhere", Some("replica")),
            GroupError::IsMember { .. } => (409, "is_member", Some("replica")),
            GroupError::NotMember { .. } => (409, "not_member", Some("replica")),
            GroupError::Key { field, .. } => (422, "bad_key", Some(*field)),
            GroupError::Busy { .. } => (409, "busy", None),
        };
        Problem { field, ..Problem::new(status, code, error.to_string()) }
    }
}
