//! What nodes report: logs and statuses, to observers and status nodes.

use crate::observe::Level;
use flotilla_value::{Object, Value};

use super::cx::NodeCx;
use super::route;

/// Tells observers of the node's own call, if they want to know.
pub(super) fn call(cx: &NodeCx, method: &'static str, args: impl FnOnce() -> Vec<Value>) {
    let observer = cx.shared().observer.load();
    if observer.wants_calls() {
        observer.call(cx.id(), method, &args());
    }
}

pub(super) fn log(cx: &NodeCx, level: Level, method: &'static str, msg: Value) {
    call(cx, method, || vec![msg.clone()]);
    cx.log_at(level, msg);
}

/// A status's text is a string, whatever a function put there; Node-RED converts it in place.
fn with_text(mut status: Value) -> Value {
    let text = status.get("text");
    if !text.is_nullish()
        && text.as_str().is_none()
        && let Some(object) = status.as_object_mut()
    {
        object.insert("text", text.to_text());
    }
    status
}

pub(super) fn status(cx: &NodeCx, status: Value) {
    let status = with_text(status);
    call(cx, "status", || vec![status.clone()]);
    let status = match status {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => {
            Value::from([("text", Value::String(status.to_text()))].into_iter().collect::<Object>())
        }
        Value::Object(_) => status,
        _ => Value::object(),
    };
    cx.shared().observer.load().status(cx.id(), &status);
    route::status(cx, &status);
}
