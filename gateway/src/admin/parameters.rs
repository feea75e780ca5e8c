//! Parameters of paths and queries. A bad one is a problem that names the parameter, its value and what is allowed.

use std::borrow::Cow;

use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::extract::{self, FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use flotilla_api::Problem;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::problem::Failure;

/// So many characters of a value are shown.
const SHOWN: usize = 100;
/// What axum puts before the reason.
const BEFORE: &str = "Failed to deserialize query string: ";

/// The parameters of a path, as axum's. Bad ones are refused with `bad_path`.
pub struct Path<T>(pub T);

/// The parameters of a query, as axum's. Bad ones are refused with `bad_query`.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>, Failure> {
        let error = match extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(extract::Path(value)) => return Ok(Path(value)),
            Err(error) => error,
        };
        let error = match error {
            PathRejection::FailedToDeserializePathParams(error) => error,
            other => return Err(Problem::new(other.status().as_u16(), "bad_path", other.body_text()).into()),
        };
        let given = RawPathParams::from_request_parts(parts, state).await;
        let given: Vec<(String, String)> = given.map_or_else(
            |_| Vec::new(),
            |given| given.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        );
        let bad = bad_path(error.kind(), &given);
        Err(bad.unwrap_or_else(|| Problem::new(error.status().as_u16(), "bad_path", error.body_text())).into())
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Query<T>, Failure> {
        match extract::Query::<T>::try_from_uri(&parts.uri) {
            Ok(extract::Query(value)) => Ok(Query(value)),
            Err(error) => Err(bad_query(parts.uri.query().unwrap_or_default(), &error.body_text()).into()),
        }
    }
}

/// What is wrong with a path parameter; `None` where it is not known which.
fn bad_path(kind: &ErrorKind, given: &[(String, String)]) -> Option<Problem> {
    let (name, value, why) = match kind {
        ErrorKind::ParseErrorAtKey { key, value, expected_type } => (key, value, allowed(expected_type)),
        ErrorKind::ParseErrorAtIndex { index, value, expected_type } => {
            (&given.get(*index)?.0, value, allowed(expected_type))
        }
        ErrorKind::ParseError { value, expected_type } => {
            (&given.iter().find(|(_, other)| other == value)?.0, value, allowed(expected_type))
        }
        ErrorKind::DeserializeError { key, value, message } => (key, value, message.clone()),
        _ => return None,
    };
    Some(bad("bad_path", name, format!("{name} is {}: {why}", shown(value))))
}

/// What is wrong with a query, whose reason axum says in `text`.
fn bad_query(query: &str, text: &str) -> Problem {
    let why = text.strip_prefix(BEFORE).unwrap_or(text);
    let given: Vec<(String, String)> = query.split('&').map(pair).filter(|(name, _)| !name.is_empty()).collect();
    let begins = |name: &str| match why.strip_prefix(name)? {
        // Within the parameter, an enum's variant for example.
        rest if rest.starts_with('.') => rest.split_once(": ").map(|(_, reason)| reason),
        rest => rest.strip_prefix(": "),
    };
    // Else the first name in the reason is that at fault: "unknown field `x`, expected `a` or `b`".
    let quoted = || why.split('`').nth(1);
    let found = given.iter().find_map(|(name, value)| Some((name, value, begins(name)?)));
    let found = found.or_else(|| {
        let (name, value) = given.iter().find(|(name, _)| Some(name.as_str()) == quoted())?;
        Some((name, value, why))
    });
    match found {
        Some((name, value, why)) => bad("bad_query", name, format!("{name} is {}: {}", shown(value), reason(why))),
        None => match quoted() {
            Some(name) => bad("bad_query", name, why.to_owned()),
            None => Problem::new(400, "bad_query", format!("the query {} cannot be read: {why}", shown(query))),
        },
    }
}

fn bad(code: &'static str, name: &str, detail: String) -> Problem {
    Problem { field: Some(Cow::Owned(name.to_owned())), ..Problem::new(400, code, detail) }
}

/// A part of a query, decoded.
fn pair(part: &str) -> (String, String) {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    (decoded(name), decoded(value))
}

/// What a type of Rust takes, for people.
fn allowed(kind: &str) -> String {
    let most = match kind {
        "bool" => return "it must be true or false".to_owned(),
        "f32" | "f64" => return "it must be a number".to_owned(),
        "u8" => u64::from(u8::MAX),
        "u16" => u64::from(u16::MAX),
        "u32" => u64::from(u32::MAX),
        "u64" | "usize" => u64::MAX,
        _ => return "it must be a whole number".to_owned(),
    };
    format!("it must be a whole number from 0 to {most}")
}

/// What the standard library says of a text that is no number says nothing of what is one.
fn reason(why: &str) -> String {
    let number = ["invalid digit", "cannot parse integer", "number too large", "number too small"];
    if number.iter().any(|part| why.contains(part)) {
        allowed("u64")
    } else if why.contains("invalid float") || why.contains("cannot parse float") {
        allowed("f64")
    } else if why.contains("`true` or `false`") {
        allowed("bool")
    } else {
        why.to_owned()
    }
}

/// A value in quotes, not all of a long one.
pub(super) fn shown(value: &str) -> String {
    let mut characters = value.chars();
    let begin: String = characters.by_ref().take(SHOWN).collect();
    if characters.next().is_some() { format!("{begin:?}...") } else { format!("{begin:?}") }
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only whether it can be read is asked")]
    struct Asked {
        limit: Option<usize>,
        #[serde(default)]
        follow: bool,
        kind: Option<Kind>,
        id: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Flow,
        Global,
    }

    fn problem(query: &str) -> Problem {
        let uri: Uri = format!("http://h/a?{query}").parse().unwrap();
        let error = extract::Query::<Asked>::try_from_uri(&uri).unwrap_err();
        bad_query(query, &error.body_text())
    }

    #[test]
    fn a_bad_query_names_the_parameter_its_value_and_what_is_allowed() {
        let whole = "it must be a whole number from 0 to 18446744073709551615";
        for (query, field, said) in [
            ("id=a&limit=many", "limit", format!("limit is \"many\": {whole}")),
            ("id=a&limit=", "limit", format!("limit is \"\": {whole}")),
            ("id=a&limit=-1", "limit", format!("limit is \"-1\": {whole}")),
            ("id=a&limit=1%2B+2", "limit", format!("limit is \"1+ 2\": {whole}")),
            ("id=a&follow=yes", "follow", "follow is \"yes\": it must be true or false".to_owned()),
            (
                "id=a&kind=node",
                "kind",
                "kind is \"node\": unknown variant `node`, expected `flow` or `global`".to_owned(),
            ),
        ] {
            let problem = problem(query);
            assert_eq!((problem.status, &*problem.code, problem.field.as_deref()), (400, "bad_query", Some(field)));
            assert_eq!(problem.detail, said, "{query}");
        }
        let unknown = problem("id=a&limit=1&misspelt=2");
        assert_eq!(unknown.field.as_deref(), Some("misspelt"));
        for part in ["\"2\"", "`limit`", "`follow`", "`kind`"] {
            assert!(unknown.detail.contains(part), "{part} in {}", unknown.detail);
        }
        assert_eq!(problem("limit=1").field.as_deref(), Some("id"), "what is missing has no value");
    }

    #[test]
    fn a_long_value_is_not_shown_whole() {
        assert_eq!(shown("a\"b"), "\"a\\\"b\"");
        assert_eq!(shown(&"a".repeat(SHOWN + 1)), format!("\"{}\"...", "a".repeat(SHOWN)));
    }
}
