//! Bodies of requests. What does not fit is a problem with a code.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use flotilla_api::Problem;
use serde::de::DeserializeOwned;

use super::problem::Failure;

/// The largest request: a flow document with room to spare, below what every store takes.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// A JSON body, as axum's. One that does not fit is refused with `bad_body`, too large a one with `body_too_large`, and one of
/// another type with `not_json`.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Failure> {
        let error = match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => return Ok(Body(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                return Err(Problem::new(415, "not_json", "send the body with Content-Type: application/json").into());
            }
            Err(error) => error,
        };
        let code = if error.status() == StatusCode::PAYLOAD_TOO_LARGE { "body_too_large" } else { "bad_body" };
        Err(Problem::new(error.status().as_u16(), code, error.body_text()).into())
    }
}
