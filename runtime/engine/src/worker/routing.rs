//! Where errors, statuses and completions go: catch, status and complete nodes.
//!
//! Source: `handleError`, `handleStatus` and `handleComplete` of Node-RED's `Flow.js` and `Subflow.js`.

use std::rc::Rc;
use std::sync::Arc;

use flotilla_flows::ScopeKind;

use crate::message::Msg;
use crate::node::{Caught, Host, Identity, Receive, Scope};
use crate::replica::Shared;
use flotilla_value::{Object, Value};

use super::run_queue::Worker;
use super::slot::Slot;

/// Types that take an empty name from the document as it is; nodes of others have no name then. Source: their constructors.
const EMPTY_NAMES: &[&str] = &["debug", "delay", "function", "http proxy", "tcp out", "template"];

/// A message caught this often from one node goes round in a loop.
const LOOP: f64 = 10.0;

impl Host for Worker {
    fn index(&self) -> usize {
        Worker::index(self)
    }

    fn shared(&self) -> &Arc<Shared> {
        Worker::shared(self)
    }

    fn enqueue(&self, target: Rc<dyn Receive>, msg: Msg) {
        Worker::enqueue(self, target, msg);
    }

    fn hand(&self, node: &str, msg: Msg) {
        if let Some(slot) = self.slot(node) {
            slot.receive(msg);
        }
    }

    /// Passes an error to the catch nodes of the node's flow, then outwards through subflow instances.
    fn catch(&self, node: &Rc<Identity>, error: &Value, msg: &Msg) -> Caught {
        let caught_before = msg.get_ref("error").and_then(|error| error.get_ref("source"));
        let same = caught_before.filter(|source| source.get_ref("id").and_then(Value::as_str) == Some(node.id()));
        let count = same.map_or(1.0, |source| source.get("count").as_number().unwrap_or(0.0) + 1.0);
        if count >= LOOP {
            return Caught::Loops;
        }
        let event = error_object(node, error, count);
        let caught = self.each_reporting(node, &mut |reporting, flow| self.catch_in(&flow.id, reporting, &event, msg));
        if caught { Caught::Yes } else { Caught::No }
    }

    /// Passes a status to the status nodes of the node's flow, then outwards through subflow instances that have no status
    /// output of their own.
    fn status(&self, node: &Rc<Identity>, status: &Value) {
        let mut object = status.as_object().cloned().unwrap_or_default();
        if let Some(text) = object.get("text").map(Value::to_text) {
            object.insert("text", Value::String(text));
        }
        object.insert("source", Value::from(source_of(node)));
        self.each_reporting(node, &mut |reporting, flow| {
            let heard = self.listeners.statuses(&flow.id, reporting);
            for (slot, _) in &heard {
                slot.receive(Msg::new([("status", Value::from(object.clone()))].into_iter().collect()));
            }
            // Subflow.js: a status output takes the statuses of the nodes inside; only the instance's own goes further out.
            let kept_inside = reporting.id() != &flow.id && self.slot(&format!("{}:status", flow.id)).is_some();
            !heard.is_empty() || kept_inside
        });
    }

    fn has_complete(&self, node: &Identity) -> bool {
        !self.listeners.completes(node).is_empty()
    }

    fn complete(&self, node: &Identity, msg: &Msg) {
        for slot in self.listeners.completes(node) {
            let mut done = msg.clone();
            done.set(
                "complete",
                Value::from([("source", Value::from(source_of(node)))].into_iter().collect::<Object>()),
            );
            slot.receive(done);
        }
    }
}

impl Worker {
    /// Enters every live node anew: catch, status and complete nodes hear from now on.
    pub(crate) fn listen(&self, slots: &[Rc<Slot>]) {
        self.listeners.forget_all();
        slots.iter().for_each(|slot| self.listeners.register(slot));
    }

    /// Tries the node's own flow, then each flow around it with the subflow instance as the reporting node. A config node
    /// reports through each of its users.
    fn each_reporting(&self, node: &Rc<Identity>, attempt: &mut dyn FnMut(&Rc<Identity>, &Rc<Scope>) -> bool) -> bool {
        if node.is_config() && matches!(node.scope().kind, ScopeKind::Global) && !node.users().is_empty() {
            let users: Vec<_> = node.users().iter().filter_map(|id| self.slot(id)).collect();
            return users
                .iter()
                .fold(false, |handled, user| self.each_reporting(user.cx.identity(), attempt) || handled);
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
            match self.slot(&flow.id) {
                Some(instance) => reporting = instance.cx.identity().clone(),
                None => return false,
            }
        }
    }

    fn catch_in(&self, flow: &str, reporting: &Identity, event: &Object, msg: &Msg) -> bool {
        let (mut handled, mut by_uncaught) = (false, false);
        for (slot, uncaught) in self.listeners.catches(flow, reporting) {
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
}

fn source_of(node: &Identity) -> Object {
    let name = match node.config().get("name") {
        Some(serde_json::Value::String(name)) if !name.is_empty() || EMPTY_NAMES.contains(&node.kind().as_str()) => {
            Value::from(name.as_str())
        }
        _ => Value::Undefined,
    };
    let kind = Value::String(node.kind().clone());
    [("id", Value::String(node.id().clone())), ("type", kind), ("name", name)].into_iter().collect()
}

fn error_object(node: &Identity, error: &Value, count: f64) -> Object {
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
