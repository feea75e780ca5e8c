//! link call: sends a message to a link in node, or to a link of another group, and takes what comes back.

use std::any::Any;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use flotilla_engine::message::{Msg, generate_id};
use flotilla_engine::{Node, NodeCx, NodeError, Shared, Stateless, Worker};
use flotilla_value::{ErrorValue, Str, Value};

use super::ends::call_entry;
use super::other_groups::{GroupLink, groups};
use super::targets::{Targets, links};

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

/// Where a call goes.
enum Target {
    Here(Str),
    Elsewhere(GroupLink),
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

/// Hands a message back to the node that made the call. False when there is no such node.
pub(super) fn return_message(shared: &Arc<Shared>, node: &str, call: Str, msg: Msg) -> bool {
    let Some(handle) = shared.worker_of(node) else { return false };
    let node = Str::new(node);
    let give = move |worker: &Rc<Worker>| {
        let caller = worker.slot(&node).and_then(|slot| slot.node());
        caller.is_some_and(|caller| caller.take_return(&call, msg))
    };
    match Worker::current().filter(|worker| worker.index() == handle.index()) {
        Some(worker) => give(&worker),
        None => {
            handle.run(move |worker| {
                give(worker);
            });
            true
        }
    }
}

/// An id for a call to another group: 28 hex digits, as the package of project links makes them.
pub fn call_id() -> Str {
    let mut id = generate_id().to_string() + &generate_id();
    id.truncate(28);
    Str::from(id)
}

/// Ends a call that a link call node of this worker has made to another group: the message that waits for the answer, if
/// it still does.
pub fn take_call(worker: &Rc<Worker>, node: &str, call: &str) -> Option<Msg> {
    let found: Rc<dyn Any> = worker.slot(node)?.node()?;
    let caller = found.downcast::<LinkCall>().ok()?;
    let taken = caller.pending.borrow_mut().remove(call);
    taken.map(|(sent, _timer)| sent)
}

/// Sends a message to a link in node, by id or name, and names the call on it. What comes back reaches the node by
/// [`Node::take_return`].
///
/// # Errors
/// Node-RED's text when there is no such link in node, or several.
pub(crate) fn call(cx: &NodeCx, target: &Str, msg: Msg, id: &Str) -> Result<(), String> {
    let targets: Arc<Targets> = cx.shared().extensions().get_or_init(Targets::default);
    // The id of another node is not taken for a name.
    let by_name = cx.shared().worker_of(target).is_none();
    let target = targets.find(target, by_name, &cx.scope().flow().id)?;
    send(cx, &target, msg, id);
    Ok(())
}

fn send(cx: &NodeCx, target: &str, mut msg: Msg, id: &Str) {
    let mut calls = msg.get("_linkSource").as_array().map(<[Value]>::to_vec).unwrap_or_default();
    calls.push(call_entry(id, cx.id()));
    msg.set("_linkSource", calls);
    cx.shared().deliver(target, msg);
}

fn error(text: String) -> Value {
    Value::Error(Arc::new(ErrorValue::new(text)))
}

impl LinkCall {
    fn find(&self, msg: &Msg) -> Result<Target, String> {
        let target = if self.dynamic {
            let target = msg.get("target");
            if target.truthy() { target.to_text() } else { Str::default() }
        } else {
            self.target.as_deref().map(Str::new).unwrap_or_default()
        };
        match GroupLink::read(&target) {
            Some(link) => Ok(Target::Elsewhere(link)),
            None => self.targets.find(&target, self.dynamic, &self.cx.scope().flow().id).map(Target::Here),
        }
    }

    /// Remembers a call until it comes back, or is late.
    fn begin(&self, id: &Str, msg: Msg) {
        let (timer, returned) = oneshot::channel::<()>();
        self.pending.borrow_mut().insert(id.clone(), (msg, timer));
        let (me, timeout, id) = (self.me.clone(), self.timeout, id.clone());
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
    }

    fn call_elsewhere(&self, link: &GroupLink, msg: Msg) {
        let id = call_id();
        self.begin(&id, msg.clone());
        let opened = groups(&self.cx).and_then(|groups| groups.0.open(&self.cx).map(|()| groups));
        let called = opened.and_then(|groups| groups.0.call(&self.cx, link, &id, &msg));
        if let Err(why) = called {
            self.pending.borrow_mut().remove(&id);
            self.cx.report().error(error(why), Some(&msg));
        }
    }
}

impl Node for LinkCall {
    fn receive(&self, msg: Msg) {
        let target = match self.find(&msg) {
            Ok(Target::Here(target)) => target,
            Ok(Target::Elsewhere(link)) => return self.call_elsewhere(&link, msg),
            Err(text) => return self.cx.report().error(error(text), Some(&msg)),
        };
        let id = generate_id();
        self.begin(&id, msg.clone());
        send(&self.cx, &target, msg, &id);
    }

    fn take_return(&self, call: &str, msg: Msg) -> bool {
        let sent = self.pending.borrow_mut().remove(call);
        self.cx.out().send(msg);
        if let Some((sent, _timer)) = sent {
            self.cx.report().done(&sent);
        }
        true
    }

    fn start(&self) {
        let elsewhere = !self.dynamic && self.target.as_deref().and_then(GroupLink::read).is_some();
        if elsewhere && let Err(why) = groups(&self.cx).and_then(|groups| groups.0.open(&self.cx)) {
            self.cx.report().broken(why);
        }
    }

    fn close(&self, removed: bool) -> LocalBoxFuture<'static, ()> {
        match groups(&self.cx) {
            Ok(groups) => groups.0.close(&self.cx, removed),
            Err(_) => Box::pin(std::future::ready(())),
        }
    }
}
