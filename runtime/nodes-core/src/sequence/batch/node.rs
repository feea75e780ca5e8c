//! The batch node's modes and what they share.

use std::rc::Rc;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Value};

use super::concat::Concat;
use super::count::Count;
use super::interval::Interval;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("batch", build);

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    match props::text(cx.config(), "mode", "count").as_str() {
        "count" => Ok(Rc::new(Count::new(cx)?)),
        "interval" => Ok(Rc::new(Interval::new(cx))),
        "concat" => Ok(Rc::new(Concat::new(cx))),
        _ => Err(NodeError::new(cx.text("batch.unexpected", &[]))),
    }
}

/// Sends messages as one sequence, named after the first.
pub(super) fn send_sequence(cx: &NodeCx, msgs: &[Msg]) {
    let Some(first) = msgs.first() else { return };
    let id = first.id();
    for (index, msg) in msgs.iter().enumerate() {
        let mut out = msg.clone();
        let mut parts = msg.get("parts").as_object().cloned().unwrap_or_default();
        parts.insert("id", id.clone());
        parts.insert("index", index as f64);
        parts.insert("count", msgs.len() as f64);
        out.set("parts", parts);
        cx.out().send(out);
    }
}

/// Completes messages that are held no longer.
pub(super) fn complete(cx: &NodeCx, msgs: Vec<Msg>) {
    for msg in &msgs {
        cx.report().done(msg);
    }
}

/// Gives up what is held once `fresh` messages are more than `nodeMessageBufferMaxLength`: the last one with an error.
pub(super) fn overflow(cx: &NodeCx, held: &mut Vec<Msg>, fresh: usize) {
    let most = cx.settings().message_buffer_max();
    if most > 0 && fresh > most {
        let mut all = std::mem::take(held);
        if let Some(last) = all.pop() {
            cx.report().error(cx.text("batch.too-many", &[]), Some(&last));
        }
        complete(cx, all);
    }
}

/// `{payload: null, parts}`: a sequence of nothing.
pub(super) fn empty_sequence(id: Value) -> Object {
    let parts: Object =
        [("id", id), ("index", Value::Number(0.0)), ("count", Value::Number(1.0))].into_iter().collect();
    [("payload", Value::Null), ("parts", Value::from(parts))].into_iter().collect()
}
