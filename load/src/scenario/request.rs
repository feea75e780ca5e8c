//! Streams of requests, checked.

use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method};

use super::check::{place, table};
use super::checked::{HttpStream, Kind, Place, Stream};
use super::error::{At, ScenarioError};
use super::file::{MarkPlace, Request};
use super::pace::Paced;
use super::tls;
use crate::template::{Template, expand};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A stream of requests.
pub(super) fn stream(field: &str, request: &Request, seconds: f64) -> Result<Stream, ScenarioError> {
    let bad = |name: &str, what: String| ScenarioError::field(format!("{field}.{name}"), what);
    let names = expand(&request.url).at(&format!("{field}.url"))?;
    for name in &names {
        let shown = flotilla_flows::shown_url(name);
        let url = url::Url::parse(name).map_err(|error| bad("url", format!("\"{shown}\" is not a URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(bad("url", format!("\"{shown}\" is not a URL that begins with http:// or https://")));
        }
    }
    let table = table(&format!("{field}.csv"), request.csv.as_ref())?;
    let mut body =
        Template::parse(request.body.as_deref().unwrap_or(""), table.clone()).at(&format!("{field}.body"))?;
    let wanted = match request.mark {
        MarkPlace::Auto if request.body.is_none() => MarkPlace::Property,
        other => other,
    };
    let place = place(&format!("{field}.mark"), wanted, &mut body, true)?;
    let method = match &request.method {
        Some(method) => Method::from_bytes(method.to_uppercase().as_bytes())
            .map_err(|_| bad("method", format!("\"{method}\" is not a method")))?,
        None if request.body.is_some() => Method::POST,
        None => Method::GET,
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let invalid = || bad("headers", format!("\"{name}: {value}\" is not a header field"));
        let key: HeaderName = name.parse().map_err(|_| invalid())?;
        headers.append(key, HeaderValue::from_str(value).map_err(|_| invalid())?);
    }
    if request.body.as_deref().is_some_and(|body| body.trim_start().starts_with(['{', '['])) {
        headers.entry("content-type").or_insert(HeaderValue::from_static("application/json"));
    }
    if let Some(status) = request.status.iter().find(|status| !(100..=599).contains(*status)) {
        return Err(bad("status", format!("{status} is not an HTTP status")));
    }
    let answer = request.answer.as_deref().map(|text| Template::parse(text, table)).transpose();
    Ok(Stream {
        name: request.name.clone().unwrap_or_else(|| format!("{method} {}", flotilla_flows::shown_url(&request.url))),
        pace: Paced::new(field, &request.pace, seconds)?,
        names,
        payload: body,
        place: if request.outputs { place } else { Place::None },
        kind: Kind::Http(HttpStream {
            method,
            headers,
            answers: !request.outputs,
            status: request.status.clone(),
            answer: answer.at(&format!("{field}.answer"))?,
            keep_alive: request.keep_alive.unwrap_or(true),
            timeout: request.timeout.map_or(TIMEOUT, |span| span.0),
            tls: tls::build(field, request.ca.as_deref(), None, request.insecure)?,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_called_by_its_url_without_a_password() {
        let request = Request { url: "http://me:hunter2@h/orders".to_owned(), ..Request::default() };
        assert_eq!(stream("request", &request, 1.0).unwrap().name, "GET http://h/orders");
    }
}
