//! `ETag` and `If-Match` (RFC 9110, section 13.1.1): a change of what was changed meanwhile is refused.

use std::sync::Arc;

use axum::http::header::ETAG;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;
use flotilla_group::version::{Held, Mark};

use super::api::Api;
use super::if_match::if_match;
use super::problem::Failure;
use super::versioned::Versioned;

/// The version that a request is about.
pub(super) enum Precondition {
    /// It has none.
    None,
    /// That of what is looked at. It is read before the rest: a tag that is too old refuses a change, one that is too new
    /// would let it through.
    Shown(String),
    /// A change of this version; its answer shows the version that it made.
    Change(Arc<Held>),
}

impl Precondition {
    /// Looks which version there is of what the path names.
    ///
    /// # Errors
    /// 412 when a change is for another version, or for one of a thing that has none; 400 for an `If-Match` that is none.
    pub(super) async fn of(
        api: &Api,
        (method, headers): (&Method, &HeaderMap),
        versioned: Option<Versioned>,
        mark: Option<Mark>,
    ) -> Result<Precondition, Failure> {
        let wanted = if_match(headers)?;
        match versioned {
            Some(Versioned::No(why)) if wanted.is_some() => return Err(unversioned(why)),
            None if wanted.is_some() && !method.is_safe() => {
                return Err(unversioned("what it does is no change of one thing that is kept"));
            }
            _ => {}
        }
        let Some(mark) = mark else { return Ok(Precondition::None) };
        let held = match Held::look(api.store.clone(), mark, wanted.is_some()).await {
            Ok(held) => held,
            Err(error) if wanted.is_some() => return Err(error.into()),
            // The handler says what is wrong.
            Err(_) => return Ok(Precondition::None),
        };
        let tag = held.tag().map(quoted);
        if method.is_safe() {
            return Ok(tag.map_or(Precondition::None, Precondition::Shown));
        }
        match wanted {
            // What is not there any more has no version either.
            Some(wanted) if tag.is_none_or(|tag| !wanted.contains(&tag)) => Err(changed().into()),
            _ => Ok(Precondition::Change(Arc::new(held))),
        }
    }

    /// The answer with the version in it; what somebody else changed meanwhile was not changed.
    pub(super) fn answer(&self, mut response: Response) -> Response {
        let tag = match self {
            Precondition::None => None,
            Precondition::Shown(tag) => Some(tag.clone()),
            Precondition::Change(held) if held.is_changed() => return Failure::from(changed()).into_response(),
            Precondition::Change(held) => held.tag().filter(|_| held.is_written()).map(quoted),
        };
        if response.status().is_success()
            && let Some(tag) = tag.and_then(|tag| HeaderValue::try_from(tag).ok())
        {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}

fn quoted(tag: String) -> String {
    format!("\"{tag}\"")
}

fn changed() -> Problem {
    let detail = "it was changed meanwhile: look at it again (GET), and send its ETag as If-Match";
    Problem::new(412, "changed_meanwhile", detail).of_field("If-Match")
}

fn unversioned(why: &str) -> Failure {
    let detail = format!("this has no versions, so that If-Match fits none: {why}; leave it out");
    Problem::new(412, "has_no_versions", detail).of_field("If-Match").into()
}
