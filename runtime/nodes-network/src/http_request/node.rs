//! The node: a request per message.

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;

use crate::header_hash;
use flotilla_engine::expression::{Plain, Template};
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Value, parse_json};

use super::client::Reply;
use super::error::RequestError;
use super::headers::{Row, default_timeout, timeout};
use super::plan::{GetPayload, with_scheme};
use super::pool::Pool;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("http request", build);

/// What the payload of the answer is.
#[derive(Clone, Copy, PartialEq)]
enum Return {
    Text,
    Buffer,
    Object,
}

/// An http request node.
pub(super) struct HttpRequest {
    pub(super) cx: NodeCx,
    pub(super) headers: Vec<Row>,
    pub(super) auth: String,
    pub(super) tls: String,
    pub(super) proxy: String,
    pub(super) lenient: bool,
    pub(super) get_payload: GetPayload,
    pub(super) pool: Option<Rc<Pool>>,
    url: String,
    method: String,
    returns: Return,
    only_catch: bool,
    running: Cell<usize>,
}

/// The node, shared with the tasks of its requests.
struct Shell(Rc<HttpRequest>);

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let get_payload = match props::value(config, "paytoqs") {
        Value::Bool(true) => GetPayload::Query,
        Value::String(text) if text == "query" => GetPayload::Query,
        Value::String(text) if text == "body" => GetPayload::Body,
        _ => GetPayload::Ignore,
    };
    let returns = match config.str("ret") {
        "bin" => Return::Buffer,
        "obj" => Return::Object,
        _ => Return::Text,
    };
    let node = HttpRequest {
        headers: Row::read(&props::value(config, "headers")),
        auth: props::text(config, "authType", "basic"),
        tls: config.str("tls").to_owned(),
        proxy: config.str("proxy").to_owned(),
        lenient: config.bool("insecureHTTPParser"),
        get_payload,
        pool: props::flag(config, "persist").then(Rc::default),
        url: props::text(config, "url", ""),
        method: props::text(config, "method", ""),
        returns,
        only_catch: props::flag(config, "senderr"),
        running: Cell::new(0),
        cx: cx.clone(),
    };
    Ok(Rc::new(Shell(Rc::new(node))))
}

impl Node for Shell {
    fn receive(&self, msg: Msg) {
        self.0.clone().request(msg);
    }

    fn close(&self, _removed: bool) -> futures::future::LocalBoxFuture<'static, ()> {
        self.0.cx.report().status(Object::new());
        Box::pin(std::future::ready(()))
    }
}

impl HttpRequest {
    fn fail(&self, msg: &Msg, error: impl Into<Value>) {
        self.cx.report().error(error, Some(msg));
    }

    /// The URL: the node's, filled in, or the message's.
    fn url(&self, msg: &Msg) -> Result<String, String> {
        let own = msg.get("url");
        if own.truthy() && !self.url.is_empty() && *own.to_text() != *self.url {
            self.cx.report().warn(self.cx.text("common.errors.nooverride", &[]));
        }
        if self.url.contains("{{") {
            let filled = Template::parse(&self.url).and_then(|url| url.render(&msg.value(), &Plain));
            let shown = || flotilla_flows::shown_url(&self.url);
            return filled.map_err(|error| format!("{} (in the URL {})", error.message, shown()));
        }
        let url = if self.url.is_empty() { own } else { Value::from(self.url.as_str()) };
        Ok(if url.truthy() { url.to_text().to_string() } else { String::new() })
    }

    fn method(&self, msg: &Msg) -> String {
        let own = msg.get("method");
        match self.method.as_str() {
            "use" if own.truthy() => return own.to_text().to_uppercase(),
            "use" | "" => return "GET".to_owned(),
            _ if own.truthy() => self.cx.report().warn(self.cx.text("common.errors.nooverride", &[])),
            _ => {}
        }
        self.method.to_uppercase()
    }

    fn request(self: Rc<Self>, msg: Msg) {
        let cx = &self.cx;
        cx.report().show("blue", "dot", cx.text("httpin.status.requesting", &[]));
        let url = match self.url(&msg) {
            Ok(url) if url.is_empty() => return self.fail(&msg, cx.text("httpin.errors.no-url", &[])),
            Ok(url) => url,
            Err(text) => return self.fail(&msg, text),
        };
        if url.contains("://") && !url.starts_with("http") {
            let text = cx.text("httpin.errors.invalid-transport", &[]);
            cx.report().warn(text.as_str());
            cx.report().show("red", "ring", text);
            return cx.report().done(&msg);
        }
        let url = with_scheme(&url, !self.tls.is_empty());
        let fallback = default_timeout(cx.settings().node_red.get("httpRequestTimeout"));
        let value = msg.value();
        let limit = timeout(&value, fallback).unwrap_or_else(|key| {
            cx.report().warn(cx.text(key, &[]));
            fallback
        });
        let plan = match self.plan(&value, &url, &self.method(&msg)) {
            Ok(plan) => plan,
            Err(text) => return self.fail(&msg, text),
        };
        self.running.set(self.running.get() + 1);
        let node = self.clone();
        self.cx.work().spawn(async move {
            let sent = tokio::time::timeout(flotilla_value::wait_ms(limit), plan.run()).await;
            let timed_out = format!("Timeout awaiting 'request' for {limit}ms");
            match sent.unwrap_or_else(|_| Err(RequestError::new("ETIMEDOUT", timed_out))) {
                Ok(reply) => node.answered(msg, reply),
                Err(error) => node.failed(msg, &error, &url),
            }
        });
    }

    fn answered(&self, mut msg: Msg, reply: Reply) {
        let mut headers = reply.headers;
        let mark = header_hash::mark(&headers);
        headers.insert(header_hash::NAME, mark);
        msg.set("statusCode", f64::from(reply.status));
        msg.set("headers", headers);
        msg.set("responseUrl", reply.url.as_str());
        msg.set("redirectList", reply.redirects);
        msg.set("retry", 0.0);
        if let Some(cookies) = reply.cookies {
            msg.set("responseCookies", cookies);
        }
        let payload = self.payload(reply.body, reply.status);
        msg.set("payload", payload);
        self.running.set(self.running.get().saturating_sub(1));
        if self.running.get() == 0 {
            self.cx.report().status(Object::new());
        }
        self.cx.out().send(msg.clone());
        self.cx.report().done(&msg);
    }

    fn payload(&self, body: Bytes, status: u16) -> Value {
        if self.returns == Return::Buffer {
            return Value::Buffer(body);
        }
        let text = Value::string(String::from_utf8_lossy(&body));
        if self.returns == Return::Text {
            return text;
        }
        if status == 204 {
            return Value::object();
        }
        parse_json(&body).unwrap_or_else(|_| {
            self.cx.report().warn(self.cx.text("httpin.errors.json-error", &[]));
            text
        })
    }

    fn failed(&self, mut msg: Msg, error: &RequestError, url: &str) {
        let cx = &self.cx;
        self.running.set(self.running.get().saturating_sub(1));
        if error.is_timeout() {
            let text = cx.text("common.notification.errors.no-response", &[]);
            self.fail(&msg, text.as_str());
            cx.report().show("red", "ring", text);
        } else {
            self.fail(&msg, error.value());
            cx.report().show("red", "ring", error.code);
        }
        let name = if error.is_timeout() { "TimeoutError" } else { "RequestError" };
        msg.set("payload", format!("{name}: {} : {}", error.message, flotilla_flows::shown_url(url)));
        msg.set("statusCode", error.code);
        if !self.only_catch {
            cx.out().send(msg.clone());
        }
        cx.report().done(&msg);
    }
}
