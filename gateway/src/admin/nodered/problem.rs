//! Errors as Node-RED answers them: `{code, message}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;
use flotilla_group::GroupError;
use flotilla_store::StoreError;
use serde_json::json;

use super::super::problem::Failure;

/// Why a request is refused.
#[derive(Debug)]
pub(in super::super) struct Refusal(Problem);

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal(Problem::new(status, code, message))
    }

    pub(super) fn not_found() -> Refusal {
        Refusal::new(404, "not_found", "Not Found")
    }

    pub(super) fn version_mismatch(message: impl Into<String>) -> Refusal {
        Refusal::new(409, "version_mismatch", message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(json!({"code": self.0.code, "message": self.0.detail}))).into_response()
    }
}

impl From<Failure> for Refusal {
    fn from(Failure(problem): Failure) -> Refusal {
        match &*problem.code {
            "base_changed" => Refusal::version_mismatch(problem.detail),
            _ => Refusal(problem),
        }
    }
}

impl From<GroupError> for Refusal {
    fn from(error: GroupError) -> Refusal {
        Failure::from(error).into()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        Failure::from(error).into()
    }
}
