//! Lists in pages. A cursor is the place of the last entry of a page in the order of the list, not a count: what is added or
//! removed between two pages makes no entry appear twice or not at all.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flotilla_api::Problem;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::parameters::Query;
use super::problem::Failure;

/// How much of a list is asked for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    /// At most so many entries, 1 to 10,000; all without it. Where there are more, the answer has the address of the next
    /// ones in a header `Link`, with `rel="next"` (RFC 8288).
    #[schemars(range(min = 1, max = 10_000))]
    pub(super) limit: Option<usize>,
    /// Those behind this cursor: it is part of the address in the header `Link`.
    pub(super) after: Option<String>,
}

/// A window, and the address that it was asked for at.
pub(super) struct Paging {
    window: Window,
    uri: Uri,
}

/// A page of a list: its entries as JSON, and the address of the next page as a header.
#[derive(Debug)]
pub(super) struct Page<T> {
    entries: Vec<T>,
    next: Option<String>,
}

const LARGEST: usize = 10_000;

impl Paging {
    pub(super) fn new(window: Window, uri: Uri) -> Paging {
        Paging { window, uri }
    }

    /// The page of a list that was asked for. `place` is where an entry stands: unique, and the list is sorted by it here.
    ///
    /// # Errors
    /// 400 for a cursor that is none of this list, and for a limit that is too small or too large.
    pub(super) fn of<T, K>(self, mut entries: Vec<T>, place: impl Fn(&T) -> K) -> Result<Page<T>, Failure>
    where
        K: Ord + Serialize + DeserializeOwned,
    {
        entries.sort_by_key(&place);
        if let Some(after) = &self.window.after {
            let after: K = read(after)?;
            entries.retain(|entry| place(entry) > after);
        }
        let Some(limit) = self.window.limit else { return Ok(Page { entries, next: None }) };
        if !(1..=LARGEST).contains(&limit) {
            let detail = format!("limit {limit} must be 1 to {LARGEST}");
            return Err(Problem::new(400, "bad_limit", detail).of_field("limit").into());
        }
        let more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| more).map(&place);
        let next = last.map(|place| address(&self.uri, &write(&place)));
        Ok(Page { entries, next })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Paging, Failure> {
        let Query(window) = Query::<Window>::from_request_parts(parts, state).await?;
        Ok(Paging::new(window, parts.uri.clone()))
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.entries).into_response();
        let link = self.next.map(|next| format!("<{next}>; rel=\"next\""));
        if let Some(link) = link.and_then(|link| HeaderValue::from_str(&link).ok()) {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

fn write<K: Serialize>(place: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

fn read<K: DeserializeOwned>(cursor: &str) -> Result<K, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
        let detail =
            format!("{cursor:?} is not a cursor of this list: use the address in the Link header of the previous page");
        Problem::new(400, "bad_cursor", detail).of_field("after")
    })
}

/// The same address with another cursor.
fn address(uri: &Uri, cursor: &str) -> String {
    let query = uri.query().unwrap_or_default();
    let others = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("after="));
    let query: String = others.map(|part| format!("{part}&")).collect();
    format!("{}?{query}after={cursor}", uri.path())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn page(limit: usize, after: Option<&str>, entries: &BTreeSet<(u64, String)>) -> Page<(u64, String)> {
        let query = after.map_or_else(String::new, |after| format!("&after={after}"));
        let uri: Uri = format!("/api/v1/things?user=a&limit={limit}{query}").parse().unwrap();
        let window = Window { limit: Some(limit), after: after.map(str::to_owned) };
        Paging::new(window, uri).of(entries.iter().rev().cloned().collect(), Clone::clone).unwrap()
    }

    proptest! {
        /// Entries come and go between the pages: those that were there all the time appear once.
        #[test]
        fn nothing_that_stays_is_skipped_and_nothing_appears_twice(
            stay in prop::collection::btree_set((0u64..20, "[a-c ü&]{0,3}"), 0..30),
            change in prop::collection::btree_set((0u64..20, "[d-f]{1,2}"), 0..30),
            limit in 1usize..7,
            each in 1usize..5,
        ) {
            let mut seen = Vec::new();
            let mut after: Option<String> = None;
            let mut turn = 0;
            loop {
                let mut now = stay.clone();
                now.extend(change.iter().skip(turn).step_by(each).cloned());
                let found = page(limit, after.as_deref(), &now);
                prop_assert!(found.entries.len() <= limit);
                seen.extend(found.entries);
                let Some(next) = found.next else { break };
                prop_assert!(next.starts_with(&format!("/api/v1/things?user=a&limit={limit}&after=")), "{}", next);
                after = next.rsplit_once("after=").map(|(_, cursor)| cursor.to_owned());
                turn += 1;
            }
            let once: BTreeSet<_> = seen.iter().cloned().collect();
            prop_assert_eq!(once.len(), seen.len());
            prop_assert!(stay.is_subset(&once));
            prop_assert!(seen.is_sorted());
        }
    }

    #[test]
    fn what_is_no_cursor_and_no_limit_is_refused() {
        let uri = Uri::from_static("/x");
        let refused = |limit, after: Option<&str>| {
            let window = Window { limit, after: after.map(str::to_owned) };
            Paging::new(window, uri.clone()).of(vec![1u64, 2], |number| *number).unwrap_err().0.code
        };
        assert_eq!(refused(Some(1), Some("%%%")), "bad_cursor");
        assert_eq!(refused(Some(1), Some(&write(&"a name"))), "bad_cursor");
        assert_eq!(refused(Some(0), None), "bad_limit");
        assert_eq!(refused(Some(LARGEST + 1), None), "bad_limit");
    }
}
