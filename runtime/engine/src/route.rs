//! Where errors, statuses and completions go: catch, status and complete nodes.
//!
//! Source: `handleError`, `handleStatus` and `handleComplete` of Node-RED's `Flow.js` and `Subflow.js`.

use std::rc::Rc;

use flotilla_flows::{NodeConfig, ScopeKind};

use crate::message::Msg;
use crate::observe::Level;
use flotilla_value::{Object, Str, Value};

use super::cx::NodeCx;
use super::scope::Scope;
use super::slot::Slot;

/// A message caught this often from one node goes round in a loop.
const LOOP: f64 = 10.0;

/// A catch or status node and whom it listens to.
pub(super) struct Listener {
    slot: Rc<Slot>,
    whom: Whom,
    uncaught: bool,
    turn: Turn,
}

/// Whose turn it is among catch nodes that are equally near: Node-RED asks those of a scope first, and those for uncaught
/// errors last, wherever they stand in the document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Scoped,
    Unscoped,
    Uncaught,
}

enum Whom {
    All,
    Group,
    Nodes(Vec<String>),
}

impl Listener {
    fn new(slot: Rc<Slot>, config: &NodeConfig) -> Listener {
        let whom = match config.get("scope") {
            Some(serde_json::Value::Array(ids)) => {
                Whom::Nodes(ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect())
            }
            Some(serde_json::Value::String(text)) if text == "group" => Whom::Group,
            _ => Whom::All,
        };
        let uncaught = config.bool("uncaught");
        let turn = match whom {
            Whom::All if uncaught => Turn::Uncaught,
            Whom::All => Turn::Unscoped,
            Whom::Group | Whom::Nodes(_) => Turn::Scoped,
        };
        Listener { slot, whom, uncaught, turn }
    }

    /// How many groups away the reporting node is; `None` when this listener does not hear it.
    fn distance(&self, reporting: &NodeCx) -> Option<usize> {
        if let Whom::Nodes(ids) = &self.whom
            && !ids.iter().any(|id| id == reporting.id())
        {
            return None;
        }
        let own = self.slot.cx.scope();
        let own_group = own.is_group().then(|| own.id.clone());
        let only_group = own_group.is_some() && matches!(self.whom, Whom::Group);
        let mut at = Some(reporting.scope().clone()).filter(|scope| scope.is_group());
        if at.is_none() {
            return (!only_group).then_some(0);
        }
        let mut distance = 0;
        while let Some(group) = at {
            if Some(&group.id) == own_group.as_ref() {
                return Some(distance);
            }
            distance += 1;
            at = group.parent.clone().filter(|scope| scope.is_group());
        }
        (!only_group).then_some(distance)
    }
}

/// Enters a node into its flow's lists when it is a catch, status or complete node.
pub(super) fn register(slot: &Rc<Slot>) {
    let cx = &slot.cx;
    let flow = cx.scope().flow();
    match cx.kind() {
        "catch" => {
            let listener = Listener::new(slot.clone(), cx.config());
            let mut catches = flow.catches.borrow_mut();
            let at = catches.partition_point(|other| other.turn <= listener.turn);
            catches.insert(at, listener);
        }
        "status" => flow.statuses.borrow_mut().push(Listener::new(slot.clone(), cx.config())),
        "complete" => {
            let Some(serde_json::Value::Array(ids)) = cx.config().get("scope") else { return };
            for id in ids.iter().filter_map(serde_json::Value::as_str) {
                flow.completes.borrow_mut().entry(Str::new(id)).or_default().push(slot.clone());
            }
        }
        _ => {}
    }
}

/// Empties a flow's lists, before its nodes are entered anew.
pub(super) fn forget_all(scope: &Scope) {
    scope.catches.borrow_mut().clear();
    scope.statuses.borrow_mut().clear();
    scope.completes.borrow_mut().clear();
}

fn source_of(cx: &NodeCx) -> Object {
    // A name that was left empty in the editor is an empty text; one that was never there is none.
    let name = match cx.config().get("name") {
        Some(serde_json::Value::String(name)) => Value::from(name.as_str()),
        _ => Value::Undefined,
    };
    [("id", Value::String(cx.id().clone())), ("type", Value::from(cx.kind())), ("name", name)].into_iter().collect()
}

/// Who hears a node, the nearest group first; the stable sort keeps the list's order among equals.
fn heard(listeners: &[Listener], reporting: &NodeCx) -> Vec<(usize, Rc<Slot>, bool)> {
    let mut found: Vec<_> = listeners
        .iter()
        .filter_map(|listener| Some((listener.distance(reporting)?, listener.slot.clone(), listener.uncaught)))
        .collect();
    found.sort_by_key(|(distance, ..)| *distance);
    found
}

/// Passes an error to the catch nodes of the node's flow, then outwards through subflow instances. True when caught.
pub(super) fn error(node: &NodeCx, error: &Value, msg: &Msg) -> bool {
    let caught_before = msg.get_ref("error").and_then(|error| error.get_ref("source"));
    let same = caught_before.filter(|source| source.get_ref("id").and_then(Value::as_str) == Some(node.id()));
    let count = same.map_or(1.0, |source| source.get("count").as_number().unwrap_or(0.0) + 1.0);
    if count >= LOOP {
        node.warn(node.text("nodes.flow.error-loop", &[]));
        return false;
    }
    let event = error_object(node, error, count);
    each_reporting(node, &mut |reporting, flow| catch_in(flow, reporting, &event, msg))
}

/// Tries the node's own flow, then each flow around it with the subflow instance as the reporting node. A config node
/// reports through each of its users.
fn each_reporting(node: &NodeCx, attempt: &mut dyn FnMut(&NodeCx, &Rc<Scope>) -> bool) -> bool {
    if node.is_config() && matches!(node.scope().kind, ScopeKind::Global) && !node.users().is_empty() {
        let users: Vec<_> = node.users().iter().filter_map(|id| node.worker().slot(id)).collect();
        return users.iter().fold(false, |handled, user| each_reporting(&user.cx, attempt) || handled);
    }
    let mut reporting = node.clone();
    loop {
        let flow = reporting.scope().flow();
        if attempt(&reporting, &flow) {
            return true;
        }
        if !matches!(flow.kind, ScopeKind::Subflow { .. }) {
            return false;
        }
        match node.worker().slot(&flow.id) {
            Some(instance) => reporting = instance.cx.clone(),
            None => return false,
        }
    }
}

fn error_object(node: &NodeCx, error: &Value, count: f64) -> Object {
    let mut source = source_of(node);
    source.insert("count", count);
    let mut object = Object::new();
    object.insert("message", Value::String(error.to_text()));
    object.insert("source", Value::from(source));
    for key in ["code", "stack", "cause"] {
        let value = error.get(key);
        if !value.is_undefined() {
            object.insert(key, value);
        }
    }
    object
}

fn catch_in(flow: &Rc<Scope>, reporting: &NodeCx, event: &Object, msg: &Msg) -> bool {
    let candidates = heard(&flow.catches.borrow(), reporting);
    let (mut handled, mut by_uncaught) = (false, false);
    for (_, slot, uncaught) in candidates {
        if uncaught && !by_uncaught {
            if handled {
                continue;
            }
            by_uncaught = true;
        }
        let mut caught = msg.clone();
        if let Some(earlier) = caught.remove("error") {
            caught.set("_error", earlier);
        }
        caught.set("error", Value::from(event.clone()));
        slot.receive(caught);
        handled = true;
    }
    handled
}

/// Passes a status to the status nodes of the node's flow, then outwards through subflow instances that have no status
/// output of their own.
pub(super) fn status(node: &NodeCx, status: &Value) {
    let mut object = status.as_object().cloned().unwrap_or_default();
    if let Some(text) = object.get("text").map(Value::to_text) {
        object.insert("text", Value::String(text));
    }
    object.insert("source", Value::from(source_of(node)));
    each_reporting(node, &mut |reporting, flow| {
        let heard = heard(&flow.statuses.borrow(), reporting);
        for (_, slot, _) in &heard {
            slot.receive(Msg::new([("status", Value::from(object.clone()))].into_iter().collect()));
        }
        // Subflow.js: a status output takes the statuses of the nodes inside; only the instance's own goes further out.
        let kept_inside =
            reporting.id() != &flow.id && reporting.worker().slot(&format!("{}:status", flow.id)).is_some();
        !heard.is_empty() || kept_inside
    });
}

/// True when a complete node waits for this node.
pub(super) fn has_complete(node: &NodeCx) -> bool {
    node.scope().flow().completes.borrow().contains_key(node.id())
}

/// Tells complete nodes that the node is through with a message.
pub(super) fn complete(node: &NodeCx, msg: &Msg) {
    let flow = node.scope().flow();
    let targets = flow.completes.borrow().get(node.id()).cloned().unwrap_or_default();
    for slot in targets {
        let mut done = msg.clone();
        done.set("complete", Value::from([("source", Value::from(source_of(node)))].into_iter().collect::<Object>()));
        slot.receive(done);
    }
}

/// Logs an error that nobody caught and fails its delivery.
pub(super) fn uncaught(node: &NodeCx, error: &Value, msg: Option<&Msg>) {
    node.log_at(Level::Error, error.clone());
    if let Some(delivery) = msg.and_then(Msg::delivery) {
        delivery.fail(crate::message::Failure { node: node.id().clone(), error: error.clone() });
    }
}
