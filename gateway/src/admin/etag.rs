//! `ETag` and `If-Match` (RFC 9110, section 13.1.1): a change of what was changed meanwhile is refused.

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use flotilla_api::Problem;

use super::problem::Failure;

/// The versions that a change is for; `None`: any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IfMatch(Option<Vec<String>>);

/// The header of an answer that shows a version.
pub(super) fn etag(version: u64) -> [(HeaderName, HeaderValue); 1] {
    [(ETAG, HeaderValue::try_from(tag(version)).unwrap_or(HeaderValue::from_static("\"\"")))]
}

fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

impl IfMatch {
    /// True when the request says which version it is for.
    pub(super) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// Refuses a change for another version.
    pub(super) fn check(&self, version: u64) -> Result<(), Failure> {
        match &self.0 {
            Some(tags) if !tags.contains(&tag(version)) => Err(changed()),
            _ => Ok(()),
        }
    }
}

/// It was changed by somebody else.
pub(super) fn changed() -> Failure {
    let detail = "it was changed meanwhile: look at it again (GET), and send its ETag as If-Match";
    Problem::new(412, "changed_meanwhile", detail).into()
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<IfMatch, Failure> {
        let Some(value) = parts.headers.get(IF_MATCH) else { return Ok(IfMatch(None)) };
        let bad =
            || Problem::new(400, "bad_if_match", "If-Match is a list of ETags in quotes, or *").of_field("If-Match");
        let text = value.to_str().map_err(|_| bad())?.trim();
        if text == "*" {
            return Ok(IfMatch(None));
        }
        Ok(IfMatch(Some(text.split(',').map(|tag| tag.trim().to_owned()).collect())))
    }
}
