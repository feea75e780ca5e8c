//! The methods of `msg.res` that function nodes may call.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use flotilla_value::{HostObject, Object, Str, Value};

use super::cookies::{clear_cookie, serialize_cookie};
use super::request::headers_value;
use super::response::Response;
use super::stream::HIGH_WATER;

const METHODS: &[&str] = &[
    "addListener",
    "append",
    "attachment",
    "cookie",
    "clearCookie",
    "end",
    "flushHeaders",
    "format",
    "get",
    "getHeader",
    "getHeaderNames",
    "getHeaders",
    "hasHeader",
    "header",
    "json",
    "jsonp",
    "links",
    "location",
    "on",
    "once",
    "redirect",
    "removeHeader",
    "send",
    "sendStatus",
    "set",
    "setHeader",
    "status",
    "type",
    "vary",
    "write",
    "writeHead",
];

/// Properties of `msg.res._res` that an enumeration does not show.
const HIDDEN: &[&str] = &[
    "req",
    "writableEnded",
    "writableFinished",
    "finished",
    "writableHighWaterMark",
    "writableLength",
    "writableNeedDrain",
];

impl HostObject for Response {
    fn class_name(&self) -> &'static str {
        if self.raw { "ServerResponse" } else { "Object" }
    }

    fn get(&self, name: &str) -> Value {
        match name {
            name if self.raw
                && let Some(value) = self.inner.written.get(name) =>
            {
                value
            }
            "_res" if !self.raw => Value::Host(Arc::new(Response { inner: self.inner.clone(), raw: true })),
            "req" if self.raw => Value::Host(self.inner.request.clone()),
            "statusCode" if self.raw => Value::from(f64::from(self.status())),
            "headersSent" if self.raw => Value::Bool(self.is_answered()),
            "writableEnded" | "finished" if self.raw => Value::Bool(self.is_ended()),
            "writableFinished" if self.raw => Value::Bool(self.is_sent()),
            "writableHighWaterMark" if self.raw => Value::from(HIGH_WATER as f64),
            "writableLength" if self.raw => Value::from(self.waiting().0 as f64),
            "writableNeedDrain" if self.raw => Value::Bool(self.waiting().1),
            _ => Value::Undefined,
        }
    }

    fn keys(&self) -> Vec<Str> {
        if !self.raw {
            return vec!["_res".into()];
        }
        let mut keys = vec!["statusCode".into(), "headersSent".into()];
        self.inner.written.rename(&mut keys);
        keys
    }

    fn hidden(&self) -> &'static [&'static str] {
        if self.raw { HIDDEN } else { &[] }
    }

    fn set(&self, name: &str, value: Value) -> Result<(), String> {
        match name {
            "statusCode" => self.set_status(value.to_number()),
            "_res" => Ok(()),
            name => self.inner.written.set(name, value),
        }
    }

    fn over(&self) -> Option<futures::future::BoxFuture<'static, bool>> {
        Some(self.inner.exchange.over())
    }

    fn drained(&self) -> Option<futures::future::BoxFuture<'static, bool>> {
        Some(self.drain())
    }

    fn methods(&self) -> &'static [&'static str] {
        METHODS
    }

    fn call(&self, method: &str, args: &[Value]) -> Result<Value, String> {
        if !self.raw {
            self.warn_deprecated(method);
        }
        let undefined = Value::Undefined;
        let arg = |at: usize| args.get(at).unwrap_or(&undefined);
        let name = arg(0).to_text();
        match method {
            "status" => self.set_status(arg(0).to_number())?,
            "set" | "header" | "setHeader" => match arg(0) {
                Value::Object(headers) => {
                    for (name, value) in headers.iter() {
                        self.set(name, value)?;
                    }
                }
                _ => self.set(&name, arg(1))?,
            },
            "append" => match arg(1) {
                Value::Array(values) => values.iter().try_for_each(|value| self.append(&name, &value.to_text()))?,
                value => self.append(&name, &value.to_text())?,
            },
            "get" | "getHeader" => return Ok(self.header(&name).map_or(Value::Null, Value::from)),
            "getHeaders" => return Ok(Value::from(self.header_object())),
            "getHeaderNames" => {
                return Ok(Value::array(self.header_object().keys().map(|name| Value::String(name.clone())).collect()));
            }
            "hasHeader" => return Ok(Value::Bool(self.header(&name).is_some())),
            "flushHeaders" => self.flush()?,
            "removeHeader" => self.remove_header(&name),
            "type" => self.set("Content-Type", &Value::from(mime_type(&name)))?,
            "cookie" => self.append("Set-Cookie", &serialize_cookie(&name, arg(1), arg(2)))?,
            "clearCookie" => self.append("Set-Cookie", &clear_cookie(&name, arg(1)))?,
            "vary" => {
                let all = [self.header("Vary").unwrap_or_default(), name.to_string()];
                let all: Vec<String> = all.into_iter().filter(|part| !part.is_empty()).collect();
                self.set("Vary", &Value::from(all.join(", ")))?;
            }
            "location" => self.set("Location", &self.target(&name))?,
            "links" => {
                let links: Vec<String> = arg(0).as_object().map_or_else(Vec::new, |links| {
                    links.iter().map(|(rel, url)| format!("<{}>; rel=\"{rel}\"", url.to_text())).collect()
                });
                self.append("Link", &links.join(", "))?;
            }
            "attachment" => self.attachment(arg(0))?,
            "redirect" => self.redirect(args)?,
            "write" => return self.push(chunk(arg(0))?).map(Value::Bool),
            "writeHead" => {
                self.check_open()?;
                self.set_status(arg(0).to_number())?;
                let headers = args.iter().rev().find_map(Value::as_object).cloned().unwrap_or_default();
                headers.iter().try_for_each(|(name, value)| self.set(name, value))?;
            }
            "end" if arg(0).is_nullish() => self.end(Bytes::new())?,
            "end" => self.end(chunk(arg(0))?)?,
            "send" => self.send(arg(0))?,
            "json" => self.json(arg(0))?,
            "jsonp" => self.jsonp(arg(0))?,
            "sendStatus" => {
                self.set_status(arg(0).to_number())?;
                self.default_type("text/plain; charset=utf-8");
                self.send(&Value::from(self.reason()))?;
            }
            _ => return Err(format!("res.{method} is not a function")),
        }
        Ok(Value::Undefined)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Response {
    /// The headers set so far, as `msg.headers` would show them.
    pub fn header_object(&self) -> Object {
        headers_value(&self.headers())
    }

    fn warn_deprecated(&self, method: &str) {
        let text = self.inner.shared.text("httpin.errors.deprecated-call", &[("method", &format!("msg.res.{method}"))]);
        let node = self.inner.node.clone();
        if let Some(worker) = self.inner.shared.worker_of(&node) {
            worker.run(move |worker| {
                if let Some(slot) = worker.slot(&node) {
                    slot.cx.report().warn(text);
                }
            });
        }
    }

    fn reason(&self) -> String {
        let code = self.status();
        let reason = http::StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
        reason.map_or_else(|| code.to_string(), str::to_owned)
    }

    /// `back` is where the client came from.
    fn target(&self, url: &str) -> Value {
        let referer = self.inner.request.header("referer");
        match url {
            "back" if referer.is_empty() => Value::from("/"),
            "back" => Value::from(referer),
            url => Value::from(url),
        }
    }

    fn redirect(&self, args: &[Value]) -> Result<(), String> {
        let (status, url) = match args {
            [status @ Value::Number(_), url, ..] | [url, status @ Value::Number(_), ..] => (status.to_number(), url),
            [url, ..] => (302.0, url),
            [] => (302.0, &Value::Undefined),
        };
        let url = self.target(&url.to_text());
        self.set_status(status)?;
        self.set("Location", &url)?;
        self.default_type("text/plain; charset=utf-8");
        self.send(&Value::from(format!("{}. Redirecting to {}", self.reason(), url.to_text())))
    }

    fn attachment(&self, file: &Value) -> Result<(), String> {
        if file.is_nullish() {
            return self.set("Content-Disposition", &Value::from("attachment"));
        }
        let file = file.to_text();
        let name = file.rsplit('/').next().unwrap_or_default();
        if let Some((_, extension)) = name.rsplit_once('.') {
            self.set("Content-Type", &Value::from(mime_type(extension)))?;
        }
        let plain: String = name.chars().map(|c| if c.is_ascii() && c != '"' { c } else { '?' }).collect();
        let mut line = format!("attachment; filename=\"{plain}\"");
        if plain != name {
            line.push_str(&format!("; filename*=UTF-8''{}", super::query::encode_component(name)));
        }
        self.set("Content-Disposition", &Value::from(line))
    }
}

/// What `write` and `end` take; else Node.js's error.
fn chunk(value: &Value) -> Result<Bytes, String> {
    match value {
        Value::Buffer(bytes) => Ok(Bytes::copy_from_slice(bytes)),
        Value::String(text) => Ok(Bytes::copy_from_slice(text.as_bytes())),
        Value::Null => Err("May not write null values to stream".to_owned()),
        other => Err(format!(
            "The \"chunk\" argument must be of type string or an instance of Buffer or Uint8Array. Received {}",
            received(other)
        )),
    }
}

fn received(value: &Value) -> String {
    match value {
        Value::Undefined => "undefined".to_owned(),
        Value::Array(_) => "an instance of Array".to_owned(),
        Value::Object(_) => "an instance of Object".to_owned(),
        Value::Date(_) => "an instance of Date".to_owned(),
        other => format!("type {} ({})", other.type_of(), other.to_text()),
    }
}

/// `res.type(name)`: a full type as it is, else that of the file extension.
pub(super) fn mime_type(name: &str) -> String {
    let known = match name.trim_start_matches('.') {
        full if full.contains('/') => full,
        "html" | "htm" => "text/html",
        "txt" | "text" | "log" => "text/plain",
        "css" => "text/css",
        "csv" => "text/csv",
        "js" | "mjs" => "application/javascript",
        "json" => "application/json",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" => "application/gzip",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "mp4" => "video/mp4",
        "yaml" | "yml" => "text/yaml",
        "md" => "text/markdown",
        _ => "application/octet-stream",
    };
    known.to_owned()
}
