//! A request of a test to the flow's `http in` nodes, over a connection that stays in memory.

use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;

use flotilla_engine::Shared;
use flotilla_http::connect;
use flotilla_tasks::Task;
use flotilla_value::{Object, Str, Value, parse_json};

use super::case::Request;

/// The largest body of an answer, in bytes.
const LARGEST: usize = 64 << 20;

/// Sends a request; the answer as `{status, headers, body}`, or why there was none.
pub(super) async fn exchange(shared: &Arc<Shared>, request: &Request) -> Result<Value, String> {
    let stream = connect(shared).ok_or("the engine is stopping")?;
    let said = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(said)?;
    // Ends with the connection, which the answer closes.
    let task = Task {
        name: "request connection",
        owner: "flow test".into(),
        ends: "the answer closes it",
        failure: "the request has no answer",
    };
    task.spawn(connection);
    let mut sent = http::Request::new(Full::new(request.body.clone()));
    *sent.method_mut() = request.method.clone();
    *sent.uri_mut() = request.url.clone();
    *sent.headers_mut() = request.headers.clone();
    sent.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("localhost"));
    sent.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    let (head, body) = sender.send_request(sent).await.map_err(said)?.into_parts();
    #[allow(clippy::disallowed_methods, reason = "bounded by Limited")]
    let read = Limited::new(body, LARGEST).collect().await;
    let body = read.map_err(|error| format!("the answer's body cannot be read: {error}"))?.to_bytes();
    let mut answer = Object::new();
    answer.insert("status", Value::Number(f64::from(head.status.as_u16())));
    answer.insert("headers", Value::from(headers_value(&head.headers)));
    answer.insert("body", body_value(&head.headers, &body));
    Ok(Value::from(answer))
}

/// Names in lower case; several values of one name are joined by commas.
fn headers_value(headers: &HeaderMap) -> Object {
    let mut object = Object::new();
    for name in headers.keys() {
        let all: Vec<_> = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        object.insert(Str::new(name.as_str()), Value::string(all.join(", ")));
    }
    object
}

/// JSON by its content type, else a text if it is one, else a buffer.
fn body_value(headers: &HeaderMap, body: &bytes::Bytes) -> Value {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let json = kind.split(';').next().is_some_and(|kind| kind.trim().ends_with("json"));
    match (json.then(|| parse_json(body)), std::str::from_utf8(body)) {
        (Some(Ok(value)), _) => value,
        (_, Ok(text)) => Value::string(text),
        (_, Err(_)) => Value::Buffer(body.clone()),
    }
}
