//! link in and link out.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use futures::future::LocalBoxFuture;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{ErrorValue, Object, Str, Value};

use super::call;
use super::other_groups::{GroupLink, groups};
use super::targets::{Targets, links};

/// Where a link ends.
pub const IN: Stateless = Stateless::node("link in", build_in);
/// Where a link begins, or where a called flow returns.
pub const OUT: Stateless = Stateless::node("link out", build_out);

struct LinkIn {
    cx: NodeCx,
    targets: Arc<Targets>,
}

struct LinkOut {
    cx: NodeCx,
    returns: bool,
    targets: Arc<Targets>,
    /// Links of other groups that it leads to.
    elsewhere: Vec<GroupLink>,
    /// The nodes that it leads to, and the state of the targets that they were found in.
    found: RefCell<Option<(u64, Vec<Str>)>>,
}

fn build_in(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let targets = cx.shared().extensions().get_or_init(Targets::default);
    targets.add(&cx);
    Ok(Rc::new(LinkIn { cx, targets }))
}

fn build_out(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let targets = cx.shared().extensions().get_or_init(Targets::default);
    let returns = cx.config().str("mode") == "return";
    let elsewhere = links(&cx).iter().filter_map(|link| GroupLink::read(link)).collect();
    Ok(Rc::new(LinkOut { cx, returns, targets, elsewhere, found: RefCell::default() }))
}

impl Node for LinkIn {
    fn receive(&self, msg: Msg) {
        self.cx.out().send(msg.clone());
        self.cx.report().done(&msg);
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.targets.remove(self.cx.id());
        Box::pin(std::future::ready(()))
    }
}

impl LinkOut {
    /// Links are wires that either end may name.
    fn leads_to(&self) -> Vec<Str> {
        let changes = self.targets.changes();
        if let Some((_, found)) = self.found.borrow().as_ref().filter(|(at, _)| *at == changes) {
            return found.clone();
        }
        let here = links(&self.cx).into_iter().filter(|link| GroupLink::read(link).is_none());
        let mut found: Vec<Str> = here.map(Str::from).collect();
        for id in self.targets.naming(self.cx.id()) {
            if !found.contains(&id) {
                found.push(id);
            }
        }
        *self.found.borrow_mut() = Some((changes, found.clone()));
        found
    }

    fn give_back(&self, mut msg: Msg) {
        let called = match msg.object_mut().get_mut("_linkSource") {
            Some(Value::Array(calls)) => Arc::make_mut(calls).pop(),
            _ => None,
        };
        if msg.get_ref("_linkSource").and_then(Value::as_array).is_some_and(<[Value]>::is_empty) {
            msg.remove("_linkSource");
        }
        let to = called.as_ref().map(|call| (call.get("node").to_text(), call.get("id").to_text()));
        let returned = to.is_some_and(|(node, id)| call::return_message(self.cx.shared(), &node, id, msg.clone()));
        if !returned {
            self.cx.report().warn(self.cx.text("link.errors.missingReturn", &[]));
        }
        self.cx.report().done(&msg);
    }
}

impl Node for LinkOut {
    fn receive(&self, mut msg: Msg) {
        msg.set("_event", format!("node:{}", self.cx.id()));
        if self.returns {
            return self.give_back(msg);
        }
        for target in self.leads_to() {
            self.cx.shared().deliver(&target, msg.clone());
        }
        let mut failed = None;
        for link in &self.elsewhere {
            let sent = groups(&self.cx).and_then(|groups| groups.0.send(&self.cx, link, &msg));
            failed = failed.or(sent.err());
        }
        match failed {
            Some(why) => self.cx.report().error(Value::Error(Arc::new(ErrorValue::new(why))), Some(&msg)),
            None => self.cx.report().done(&msg),
        }
    }

    fn start(&self) {
        if self.elsewhere.is_empty() || self.returns {
            return;
        }
        if let Err(why) = groups(&self.cx).and_then(|groups| groups.0.open(&self.cx)) {
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

/// One entry of `_linkSource`.
pub(super) fn call_entry(id: &Str, node: &Str) -> Value {
    [("id", id.clone()), ("node", node.clone())].into_iter().collect::<Object>().into()
}
