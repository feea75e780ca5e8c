//! What the API says of itself, as it is served.

use axum::body::Bytes;

/// The OpenAPI document and its page.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub(super) json: Bytes,
    pub(super) page: Bytes,
}
