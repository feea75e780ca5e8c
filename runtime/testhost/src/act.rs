//! Ops that a node's worker runs at once: `receive`, `tap`, `act`.

use std::rc::Rc;

use flotilla_engine::message::{Msg, generate_id};
use flotilla_engine::{NodeCx, Worker};
use flotilla_value::Value;

use super::op::Op;

/// True for ops that are over when they return, so that a burst of them stays a burst.
pub(super) fn is_instant(op: &Op) -> bool {
    matches!(op.name.as_str(), "receive" | "tap") || (op.name == "act" && op.text("do") != "close")
}

/// Runs an instant op on the node's worker.
pub(super) fn run(worker: &Rc<Worker>, op: &Op) {
    let Some(slot) = worker.slot(op.text("node")) else { return };
    match op.name.as_str() {
        "receive" => slot.handle(Msg::from_value(op.value("msg"), None)),
        // A helper shows what arrives by itself.
        "tap" if slot.cx.kind() == "helper" => {}
        "tap" => slot.tap(),
        _ => act(&slot.cx, op),
    }
}

/// Does what the node's own code would do.
fn act(cx: &NodeCx, op: &Op) {
    let args = match op.value("args") {
        Value::Array(args) => args.to_vec(),
        _ => Vec::new(),
    };
    let first = args.first().cloned().unwrap_or_default();
    let msg =
        |value: Option<&Value>| value.filter(|value| !value.is_nullish()).map(|v| Msg::from_value(v.clone(), None));
    match op.text("do") {
        "send" => send(cx, first),
        "done" => match (msg(args.first()), args.get(1).filter(|error| error.truthy())) {
            (msg, Some(error)) => cx.report().error(error.clone(), msg.as_ref()),
            (Some(msg), None) => cx.report().done(&msg),
            (None, None) => {}
        },
        "credentials" => {
            if let Some(serde_json::Value::Object(map)) = flotilla_value::to_json(&first) {
                cx.set_credentials(map);
            }
        }
        "log" => cx.report().log(first),
        "warn" => cx.report().warn(first),
        "error" => cx.report().error(first, msg(args.get(1)).as_ref()),
        "debug" => cx.report().debug(first),
        "trace" => cx.report().trace(first),
        "status" => cx.report().status(first),
        _ => {}
    }
}

/// `node.send(...)`: a message, or an array with a message, an array of messages or null per output.
fn send(cx: &NodeCx, what: Value) {
    let one = |value: &Value| Msg::from_value(value.clone(), None);
    let outputs = match &what {
        Value::Undefined | Value::Null => return,
        Value::Array(outputs) => outputs
            .iter()
            .map(|output| match output {
                Value::Array(msgs) => msgs.iter().filter(|msg| !msg.is_nullish()).map(one).collect(),
                Value::Undefined | Value::Null => Vec::new(),
                msg => vec![one(msg)],
            })
            .collect(),
        msg => vec![vec![one(msg)]],
    };
    let outputs: Vec<Vec<Msg>> = outputs;
    let has_id = outputs.iter().flatten().any(|msg| !msg.id().is_empty());
    if has_id {
        cx.out().send_all(outputs);
    } else {
        let id = generate_id();
        let with_id = |mut msg: Msg| {
            msg.set("_msgid", id.clone());
            msg
        };
        cx.out().send_all(outputs.into_iter().map(|msgs| msgs.into_iter().map(with_id).collect()).collect());
    }
}
