//! `msg.res`: what the flow answers with. Behaviour of Express 4's response.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::Either;
use http_body_util::combinators::UnsyncBoxBody;
use parking_lot::Mutex;

use flotilla_engine::Shared;
use flotilla_value::{Str, Value};

use super::answer::{Answer, Exchange, whole};
use super::etag::etag;
use super::request::Request;
use super::stream::Stream;
use super::written::Written;

/// `msg.res`, or with `raw` `msg.res._res`. Both are the same response; calls on the outer one are deprecated.
pub struct Response {
    pub(super) inner: Arc<Inner>,
    pub(super) raw: bool,
}

/// The response while it is being made.
pub(super) struct Inner {
    pub(super) exchange: Arc<Exchange>,
    pub(super) request: Arc<Request>,
    pub(super) shared: Arc<Shared>,
    pub(super) node: Str,
    pub(super) written: Written,
    head: Mutex<Head>,
}

struct Head {
    status: StatusCode,
    headers: HeaderMap,
    /// The body is sent while the flow writes it.
    streaming: bool,
    /// Where that goes. Made when it is asked for: most answers are given as a whole.
    stream: Option<Arc<Stream>>,
    /// The answer was given as a whole: nobody takes anything from the stream.
    whole: bool,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let head = self.head.get_mut();
        if !head.streaming
            && let Some(stream) = &head.stream
        {
            stream.leave();
        }
        self.exchange.let_go();
    }
}

impl Inner {
    fn stream(&self) -> Arc<Stream> {
        let mut head = self.head.lock();
        if let Some(stream) = &head.stream {
            return stream.clone();
        }
        let stream = Arc::<Stream>::default();
        if head.whole {
            stream.leave();
        }
        head.stream = Some(stream.clone());
        stream
    }
}

impl Response {
    pub(super) fn new(exchange: Arc<Exchange>, request: Arc<Request>, shared: Arc<Shared>, node: Str) -> Response {
        let (status, headers) = (StatusCode::OK, HeaderMap::new());
        let head = Mutex::new(Head { status, headers, streaming: false, stream: None, whole: false });
        let written = Written::default();
        Response { inner: Arc::new(Inner { exchange, request, shared, node, written, head }), raw: false }
    }

    /// Sets the status code.
    ///
    /// # Errors
    /// When it is no status code.
    pub fn set_status(&self, status: f64) -> Result<(), String> {
        let code = (100.0..1000.0).contains(&status).then(|| StatusCode::from_u16(status as u16).ok()).flatten();
        self.inner.head.lock().status = code.ok_or_else(|| format!("Invalid status code: {status}"))?;
        Ok(())
    }

    /// True once an answer was given.
    pub fn is_answered(&self) -> bool {
        self.inner.exchange.is_answered()
    }

    /// Sets a header; an array sets it several times. A content type without a charset gets `utf-8` where it is text.
    ///
    /// # Errors
    /// When the name or value may not stand in a header, or the answer was given already.
    pub fn set(&self, name: &str, value: &Value) -> Result<(), String> {
        self.check_open()?;
        let values = match value {
            Value::Array(items) => items.iter().map(Value::to_text).collect(),
            value => vec![value.to_text()],
        };
        self.write(name, values, false)
    }

    /// Adds a header line.
    ///
    /// # Errors
    /// As [`Response::set`].
    pub fn append(&self, name: &str, value: &str) -> Result<(), String> {
        self.check_open()?;
        self.write(name, vec![Str::new(value)], true)
    }

    fn write(&self, name: &str, values: Vec<Str>, append: bool) -> Result<(), String> {
        let key =
            HeaderName::try_from(name).map_err(|_| format!("Header name must be a valid HTTP token [\"{name}\"]"))?;
        let mut head = self.inner.head.lock();
        if !append {
            head.headers.remove(&key);
        }
        for value in values {
            let value = if key == header::CONTENT_TYPE { with_charset(&value) } else { value.to_string() };
            // Header bytes are Latin-1, as Node writes them.
            let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            let value = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
            let value = value.ok_or_else(|| format!("Invalid character in header content [\"{name}\"]"))?;
            head.headers.append(&key, value);
        }
        Ok(())
    }

    /// A header that was set.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.inner.head.lock();
        head.headers.get(name).map(|value| value.as_bytes().iter().map(|byte| char::from(*byte)).collect())
    }

    pub(super) fn remove_header(&self, name: &str) {
        if let Ok(key) = HeaderName::try_from(name) {
            self.inner.head.lock().headers.remove(key);
        }
    }

    pub(super) fn status(&self) -> u16 {
        self.inner.head.lock().status.as_u16()
    }

    pub(super) fn headers(&self) -> HeaderMap {
        self.inner.head.lock().headers.clone()
    }

    /// `res.send(value)`: text as HTML, a buffer as octets, anything else as JSON, unless a type is set.
    ///
    /// # Errors
    /// When the answer was given already.
    pub fn send(&self, value: &Value) -> Result<(), String> {
        let body = match value {
            Value::String(text) => {
                self.default_type("text/html; charset=utf-8");
                Bytes::copy_from_slice(text.as_bytes())
            }
            Value::Buffer(bytes) => {
                self.default_type("application/octet-stream");
                bytes.clone()
            }
            Value::Undefined | Value::Null => Bytes::new(),
            other => return self.json(other),
        };
        self.finish(body, true)
    }

    /// `res.json(value)`.
    ///
    /// # Errors
    /// When the value has no JSON or the answer was given already.
    pub fn json(&self, value: &Value) -> Result<(), String> {
        let text = flotilla_value::stringify(value).map_err(|error| error.to_string())?.unwrap_or_default();
        self.default_type("application/json; charset=utf-8");
        self.finish(Bytes::from(text), true)
    }

    /// `res.jsonp(value)`: JSON, or a call of the function that `?callback=` names.
    ///
    /// # Errors
    /// As [`Response::json`].
    pub fn jsonp(&self, value: &Value) -> Result<(), String> {
        let callback = match self.inner.request.query.get("callback") {
            Value::String(name) => name,
            Value::Array(names) => names.first().map(Value::to_text).unwrap_or_default(),
            _ => return self.json(value),
        };
        let safe: String = callback.chars().filter(|c| c.is_ascii_alphanumeric() || "[]_$.".contains(*c)).collect();
        if safe.is_empty() {
            return self.json(value);
        }
        let json = flotilla_value::stringify(value).map_err(|error| error.to_string())?.unwrap_or_default();
        let json = json.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        self.set("X-Content-Type-Options", &Value::from("nosniff"))?;
        self.set("Content-Type", &Value::from("text/javascript; charset=utf-8"))?;
        self.finish(Bytes::from(format!("/**/ typeof {safe} === 'function' && {safe}({json});")), true)
    }

    /// `res.write(chunk)`: sent at once, after the head if that was not sent yet. False when the flow should wait for `drain`.
    ///
    /// # Errors
    /// When the answer was given already, and when too much waits for the client.
    pub(super) fn push(&self, chunk: Bytes) -> Result<bool, String> {
        match self.begin()? {
            true => self.inner.stream().write(chunk).map_err(|error| error.to_string()),
            false => Ok(true),
        }
    }

    /// `res.flushHeaders()`: sends the head; the body follows with `res.write`.
    ///
    /// # Errors
    /// When the answer was given already.
    pub(super) fn flush(&self) -> Result<(), String> {
        self.begin().map(|_| ())
    }

    /// Begins the body that is written piece by piece, if it is not begun yet. False where an answer has no body.
    fn begin(&self) -> Result<bool, String> {
        if self.is_streaming() {
            return Ok(true);
        }
        self.check_open()?;
        let (status, mut headers) = {
            let head = self.inner.head.lock();
            (head.status, head.headers.clone())
        };
        if self.inner.request.method == Method::HEAD || has_no_body(status) {
            return Ok(false);
        }
        headers.remove(header::TRANSFER_ENCODING);
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let events = kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream");
        let promised = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let (exchange, stream) = (&self.inner.exchange, self.inner.stream());
        let body = stream.body(exchange.present(), events, promised);
        let mut answer = Answer::new(Either::Right(UnsyncBoxBody::new(body)));
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        self.inner.head.lock().streaming = true;
        if !exchange.answer_streaming(answer, &stream) {
            self.check_open()?;
        }
        Ok(true)
    }

    fn is_streaming(&self) -> bool {
        self.inner.head.lock().streaming
    }

    /// `res.end(chunk)`: after what was written, or as the whole answer.
    ///
    /// # Errors
    /// When the answer was given already.
    pub(super) fn end(&self, chunk: Bytes) -> Result<(), String> {
        if !self.is_streaming() {
            return self.finish(chunk, false);
        }
        let stream = self.inner.stream();
        if !chunk.is_empty() {
            stream.write(chunk).map_err(|error| error.to_string())?;
        }
        // As in Node.js: a second end does nothing.
        let _ = stream.end();
        Ok(())
    }

    /// True when the flow wrote all of the answer.
    pub(super) fn is_ended(&self) -> bool {
        if self.is_streaming() { self.inner.stream().is_ended() } else { self.is_answered() }
    }

    /// True when the client has all of the answer.
    pub(super) fn is_sent(&self) -> bool {
        if self.is_streaming() { self.inner.stream().is_sent() } else { self.is_answered() }
    }

    /// Bytes that wait for the client, and whether the flow was asked to wait for `drain`.
    pub(super) fn waiting(&self) -> (usize, bool) {
        let stream = self.inner.head.lock().stream.clone();
        stream.map_or((0, false), |stream| stream.waiting())
    }

    /// Ends at the next `drain`; with false when there will be none any more.
    pub(super) fn drain(&self) -> BoxFuture<'static, bool> {
        Box::pin(self.inner.stream().drain())
    }

    pub(super) fn default_type(&self, content_type: &'static str) {
        let mut head = self.inner.head.lock();
        head.headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static(content_type));
    }

    pub(super) fn check_open(&self) -> Result<(), String> {
        if self.is_answered() {
            return Err("Cannot set headers after they are sent to the client".to_owned());
        }
        Ok(())
    }

    fn finish(&self, body: Bytes, tagged: bool) -> Result<(), String> {
        self.check_open()?;
        let (status, mut headers, stream) = {
            let mut head = self.inner.head.lock();
            head.whole = true;
            (head.status, std::mem::take(&mut head.headers), head.stream.clone())
        };
        let method = &self.inner.request.method;
        // Most answers have a type alone: looking for each of the others would hash its name.
        let only_type = headers.keys().all(|name| *name == header::CONTENT_TYPE);
        if !only_type {
            // The length is what is really sent; only to HEAD may a flow tell the length of what GET would send.
            if method != Method::HEAD || !body.is_empty() {
                headers.remove(header::CONTENT_LENGTH);
            }
            headers.remove(header::TRANSFER_ENCODING);
        }
        if tagged && (only_type || !headers.contains_key(header::ETAG)) {
            headers.insert(header::ETAG, etag(&body));
        }
        let (mut status, mut body) = (status, body);
        if tagged && (method == Method::GET || method == Method::HEAD) && self.is_fresh(status, &headers) {
            status = StatusCode::NOT_MODIFIED;
        }
        if has_no_body(status) {
            headers.remove(header::CONTENT_TYPE);
            headers.remove(header::CONTENT_LENGTH);
            body = Bytes::new();
        }
        let mut answer = Answer::new(whole(body));
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        if let Some(stream) = stream {
            stream.leave();
        }
        if self.inner.exchange.answer(answer) { Ok(()) } else { self.check_open() }
    }

    /// The client has this already: `If-None-Match` names the tag.
    fn is_fresh(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        let known = self.inner.request.headers.get(header::IF_NONE_MATCH);
        let known = known.and_then(|known| known.to_str().ok()).unwrap_or_default();
        if known.is_empty() || !status.is_success() || self.inner.request.header("cache-control").contains("no-cache") {
            return false;
        }
        let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        known == "*" || known.split(',').any(|one| weak(one) == weak(tag))
    }
}

/// RFC 9110, section 6.4.1.
fn has_no_body(status: StatusCode) -> bool {
    status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

fn with_charset(value: &str) -> String {
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let text = kind.starts_with("text/") || kind == "application/json" || kind == "application/javascript";
    if text && !value.to_ascii_lowercase().contains("charset") {
        return format!("{value}; charset=utf-8");
    }
    value.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_are_expresss() {
        assert_eq!(with_charset("text/css"), "text/css; charset=utf-8");
        assert_eq!(with_charset("image/png"), "image/png");
    }
}
