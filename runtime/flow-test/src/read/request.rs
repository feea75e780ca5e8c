//! A request that goes in.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::super::case::Request;
use super::cursor::{Cursor, Fields};
use super::literal::literal;
use flotilla_value::{Value, stringify};

/// `{"method": "POST", "url": "/path?query", "headers": {...}, "body": ...}`
pub(super) fn request(at: &Cursor<'_>) -> Option<Request> {
    let fields = at.fields(&["method", "url", "headers", "body"])?;
    let url = url(&fields.need("url")?);
    let method = match fields.get("method") {
        Some(method) => method_of(&method),
        None => Some(Method::GET),
    };
    let mut headers = headers(&fields);
    let body = match fields.get("body") {
        Some(body) => body_of(&body, &mut headers),
        None => Bytes::new(),
    };
    Some(Request { method: method?, url: url?, headers, body })
}

fn url(at: &Cursor<'_>) -> Option<Uri> {
    let text = at.text()?;
    let url = text.parse().ok().filter(|_| text.starts_with('/'));
    if url.is_none() {
        at.is_not("a path with its query, such as \"/hits/door?from=a%20b\"");
    }
    url
}

fn method_of(at: &Cursor<'_>) -> Option<Method> {
    let method = at.text()?.to_uppercase().parse().ok();
    if method.is_none() {
        at.is_not("a method of HTTP");
    }
    method
}

fn headers(fields: &Fields<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields.get("headers").iter().flat_map(Cursor::entries) {
        match (name.parse::<HeaderName>(), value.json.as_str().map(HeaderValue::from_str)) {
            (Ok(name), Some(Ok(value))) => drop(headers.append(name, value)),
            (Err(_), _) => value.problem(format!("\"{name}\" is not a name of a header")),
            _ => value.is_not("a text that can be a header's value"),
        }
    }
    headers
}

/// Texts and buffers as they are, all else as JSON.
fn body_of(at: &Cursor<'_>, headers: &mut HeaderMap) -> Bytes {
    match literal(at) {
        Value::Buffer(bytes) => bytes,
        Value::String(text) => Bytes::from(text.to_string()),
        value => {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            Bytes::from(stringify(&value).ok().flatten().unwrap_or_default())
        }
    }
}
