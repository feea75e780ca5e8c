//! Errors as `application/problem+json` (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

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

impl From<flotilla_group::GroupError> for Problem {
    fn from(error: flotilla_group::GroupError) -> Problem {
        let (status, code) = match &error {
            flotilla_group::GroupError::Store(_) => (503, "store_unavailable"),
            flotilla_group::GroupError::NoRevision(_) => (404, "no_such_revision"),
            flotilla_group::GroupError::BadName { .. } => (400, "bad_name"),
            flotilla_group::GroupError::IdTaken { .. } => (409, "id_taken"),
            flotilla_group::GroupError::Corrupt { .. } => (500, "store_corrupt"),
        };
        Problem { status, code, detail: error.to_string(), field: None }
    }
}
