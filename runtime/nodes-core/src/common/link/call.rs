//! link call: sends a message to a link in node and takes what comes back through a link out node.

use std::any::Any;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use flotilla_engine::message::{Msg, generate_id};
use flotilla_engine::{Node, NodeCx, NodeError, Shared, Stateless, Worker};
use flotilla_value::{ErrorValue, Str, Value};

use super::ends::call_entry;
use super::targets::{NotFound, Targets, links};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("link call", build);

struct LinkCall {
    cx: NodeCx,
    me: Weak<LinkCall>,
    target: Option<String>,
    dynamic: bool,
    timeout: Duration,
    targets: Arc<Targets>,
    /// Calls that have not come back, by their id: the message that was sent, and what ends the timer when it is dropped.
    pending: RefCell<FxHashMap<Str, (Msg, oneshot::Sender<()>)>>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let seconds = config.num("timeout").filter(|seconds| *seconds >= 0.0).unwrap_or(30.0);
    let timeout = flotilla_value::wait_seconds(seconds);
    let (target, dynamic) = (links(&cx).into_iter().next(), config.str("linkType") == "dynamic");
    let targets = cx.shared().extensions().get_or_init(Targets::default);
    let pending = RefCell::default();
    Ok(Rc::new_cyclic(|me| LinkCall { cx, me: me.clone(), target, dynamic, timeout, targets, pending }))
}

/// Hands a message back to the link call node that made the call. False when there is no such node.
pub(super) fn return_message(shared: &Arc<Shared>, node: &str, call: Str, msg: Msg) -> bool {
    let Some(handle) = shared.worker_of(node) else { return false };
    let node = Str::new(node);
    let give = move |worker: &Rc<Worker>| {
        let found: Option<Rc<dyn Any>> =
            worker.slot(&node).and_then(|slot| slot.node()).map(|node| node as Rc<dyn Any>);
        if let Some(Ok(caller)) = found.map(Rc::downcast::<LinkCall>) {
            caller.returned(&call, msg);
        }
    };
    match Worker::current().filter(|worker| worker.index() == handle.index()) {
        Some(worker) => give(&worker),
        None => handle.run(give),
    }
    true
}

impl LinkCall {
    fn find(&self, msg: &Msg) -> Result<Str, String> {
        let target = if self.dynamic {
            let target = msg.get("target");
            if target.truthy() { target.to_text() } else { Str::default() }
        } else {
            self.target.as_deref().map(Str::new).unwrap_or_default()
        };
        if self.targets.has(&target) {
            return Ok(target);
        }
        let missing = || Err(format!("target link-in node '{target}' not found"));
        if !self.dynamic || target.is_empty() {
            return missing();
        }
        match self.targets.by_name(&target, &self.cx.scope().flow().id) {
            Ok(id) => Ok(id),
            Err(NotFound::None) => missing(),
            Err(NotFound::Several) => Err(format!("Multiple link-in nodes named '{target}' found")),
        }
    }

    fn returned(&self, call: &str, mut msg: Msg) {
        if msg.get_ref("_linkSource").and_then(Value::as_array).is_some_and(<[Value]>::is_empty) {
            msg.remove("_linkSource");
        }
        let sent = self.pending.borrow_mut().remove(call);
        self.cx.out().send(msg);
        if let Some((sent, _timer)) = sent {
            self.cx.report().done(&sent);
        }
    }
}

impl Node for LinkCall {
    fn receive(&self, mut msg: Msg) {
        let target = match self.find(&msg) {
            Ok(target) => target,
            Err(text) => {
                return self.cx.report().error(Value::Error(Arc::new(ErrorValue::new(text))), Some(&msg));
            }
        };
        let id = generate_id();
        let (timer, returned) = oneshot::channel::<()>();
        self.pending.borrow_mut().insert(id.clone(), (msg.clone(), timer));
        let mut calls = msg.get("_linkSource").as_array().map(<[Value]>::to_vec).unwrap_or_default();
        calls.push(call_entry(&id, self.cx.id()));
        msg.set("_linkSource", calls);
        let (me, timeout) = (self.me.clone(), self.timeout);
        self.cx.work().spawn(async move {
            if tokio::time::timeout(timeout, returned).await.is_ok() {
                return;
            }
            let Some(node) = me.upgrade() else { return };
            let late = node.pending.borrow_mut().remove(&id);
            if let Some((sent, _timer)) = late {
                node.cx.report().error("timeout", Some(&sent));
            }
        });
        self.cx.shared().deliver(&target, msg);
    }
}
