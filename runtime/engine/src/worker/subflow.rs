//! A subflow instance: takes messages in, and shows what its status output says.

use std::rc::Rc;

use crate::message::Msg;
use crate::node::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Str, Value};

use super::run_queue::Worker;

/// Node-RED shows this much of a payload that is not a status.
const STATUS_TEXT: usize = 32;

/// Takes messages into the subflow: its wires lead to the nodes at the subflow's input.
struct Instance {
    cx: NodeCx,
}

/// The subflow's status output: what arrives becomes the instance's status.
struct StatusOutput {
    instance: Str,
}

/// The type of subflow instances, whatever subflow they are of.
pub(crate) const SUBFLOW: Stateless = Stateless::node("subflow", build_instance);
/// The type of the nodes that stand for subflows' status outputs.
pub(crate) const SUBFLOW_STATUS: Stateless = Stateless::node("subflow-status", build_status);

/// Builds a subflow instance.
fn build_instance(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    Ok(Rc::new(Instance { cx }))
}

/// Builds the status output of the instance that its id begins with.
fn build_status(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let instance = Str::new(cx.id().strip_suffix(":status").unwrap_or(cx.id()));
    Ok(Rc::new(StatusOutput { instance }))
}

impl Node for Instance {
    fn receive(&self, msg: Msg) {
        self.cx.out().send(msg);
    }
}

impl Node for StatusOutput {
    fn receive(&self, msg: Msg) {
        let Some(instance) = Worker::current().and_then(|worker| worker.slot(&self.instance)) else { return };
        if let Some(status) = status_of(&msg) {
            instance.cx.report().status(status);
        }
    }
}

/// Source: the subflow-status node of Node-RED's `Subflow.js`.
fn status_of(msg: &Msg) -> Option<Value> {
    let text = |text: String| Value::from([("text", Value::from(text))].into_iter().collect::<Object>());
    match msg.get("payload") {
        Value::Undefined => msg.get_ref("status").cloned(),
        Value::String(payload) => Some(text(payload.to_string())),
        Value::Object(object)
            if object.is_empty() || ["text", "fill", "shape"].iter().any(|key| object.contains_key(key)) =>
        {
            Some(Value::Object(object))
        }
        other => {
            let shown = flotilla_value::stringify(&other).ok().flatten().unwrap_or_else(|| other.to_text().to_string());
            let cut = shown.chars().count() > STATUS_TEXT;
            let mut shown: String = shown.chars().take(STATUS_TEXT).collect();
            if cut {
                shown.push_str("...");
            }
            Some(text(shown))
        }
    }
}
