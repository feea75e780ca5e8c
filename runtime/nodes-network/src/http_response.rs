//! The http response node.

use std::rc::Rc;

use crate::header_hash;
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_http::{Response, serialize_cookie};
use flotilla_value::{Object, Value};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("http response", build);

struct HttpResponse {
    cx: NodeCx,
    headers: Object,
    status: Option<i64>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let headers = props::value(cx.config(), "headers").as_object().cloned().unwrap_or_default();
    let status = props::parse_int(&props::value(cx.config(), "statusCode")).filter(|status| *status != 0);
    Ok(Rc::new(HttpResponse { cx, headers, status }))
}

impl Node for HttpResponse {
    fn receive(&self, msg: Msg) {
        match msg.get_ref("res") {
            Some(Value::Host(host)) if host.as_any().is::<Response>() => {
                let Some(response) = host.as_any().downcast_ref::<Response>() else { return };
                if let Err(error) = self.answer(response, &msg) {
                    return self.cx.report().error(error, Some(&msg));
                }
            }
            _ => self.cx.report().warn(self.cx.text("httpin.errors.no-response", &[])),
        }
        self.cx.report().done(&msg);
    }
}

impl HttpResponse {
    fn answer(&self, response: &Response, msg: &Msg) -> Result<(), String> {
        for (name, value) in self.headers.iter() {
            response.set(name, value)?;
        }
        if let Some(Value::Object(headers)) = msg.get_ref("headers")
            && !header_hash::is_untouched(headers)
        {
            for (name, value) in headers.iter().filter(|(name, _)| *name != header_hash::NAME) {
                if !self.headers.contains_key(name) {
                    response.set(name, value)?;
                }
            }
        }
        if let Some(Value::Object(cookies)) = msg.get_ref("cookies") {
            for (name, cookie) in cookies.iter() {
                response.append("Set-Cookie", &cookie_line(name, cookie))?;
            }
        }
        let from_msg = msg.get_ref("statusCode").and_then(props::parse_int).filter(|status| *status != 0);
        response.set_status(self.status.or(from_msg).unwrap_or(200) as f64)?;
        match msg.get_ref("payload").unwrap_or(&Value::Undefined) {
            payload @ (Value::Undefined | Value::String(_) | Value::Buffer(_)) => response.send(payload),
            number @ Value::Number(_) => response.send(&Value::String(number.to_text())),
            // Node-RED asks for the length of anything else as of a text, which Node refuses.
            other @ (Value::Bool(_) | Value::BigInt(_) | Value::Function(_)) => Err(format!(
                "TypeError: The \"string\" argument must be of type string or an instance of Buffer or ArrayBuffer. \
                 Received type {} ({})",
                other.type_of(),
                other.to_text()
            )),
            object => response.jsonp(object),
        }
    }
}

/// `null` or a value of `null` removes the cookie.
fn cookie_line(name: &str, cookie: &Value) -> String {
    match cookie {
        Value::Null => removed(name, &Value::Undefined),
        Value::Object(_) if cookie.get("value") == Value::Null => removed(name, cookie),
        Value::Object(_) => serialize_cookie(name, &cookie.get("value"), cookie),
        other => serialize_cookie(name, other, &Value::Undefined),
    }
}

fn removed(name: &str, options: &Value) -> String {
    let mut gone: Object = options.as_object().cloned().unwrap_or_default();
    gone.remove("maxAge");
    gone.insert("expires", Value::Date(1.0));
    serialize_cookie(name, &Value::from(""), &Value::from(gone))
}
