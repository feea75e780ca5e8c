//! A live node's place on its worker.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use crate::message::{Delivery, Msg};
use crate::node::{Inert, Node, NodeCx, Receive};
use crate::observe::Level;

/// A live node and its handle.
///
/// What wires lead to: messages on their way hold the slot and not the node, so that a deploy can close a node while messages
/// for it are queued. Those find nobody and abandon their deliveries, which their sources hear; none ends as if it had been
/// handled. A node that panics fails the delivery that it held and stays; a worker that cuts off what hangs has its slots refuse
/// what comes.
pub struct Slot {
    /// The node's handle to the engine.
    pub cx: NodeCx,
    node: RefCell<Option<Rc<dyn Node>>>,
    tapped: Cell<bool>,
}

impl Slot {
    pub(crate) fn new(cx: NodeCx, node: Rc<dyn Node>) -> Rc<Slot> {
        let tapped = Cell::new(cx.shared().observer().wants_inputs());
        Rc::new(Slot { cx, node: RefCell::new(Some(node)), tapped })
    }

    /// The node, until it is closed.
    pub fn node(&self) -> Option<Rc<dyn Node>> {
        self.node.borrow().clone()
    }

    /// From now on observers hear of each message before the node does.
    pub fn tap(&self) {
        self.tapped.set(true);
    }

    pub(crate) fn take(&self) -> Option<Rc<dyn Node>> {
        self.node.borrow_mut().take()
    }

    /// As [`Receive::receive`], with the message as it is: what a node emits to itself in Node-RED gets no id.
    pub fn handle(&self, msg: Msg) {
        if self.tapped.get() {
            self.cx.shared().observer().input(self.cx.id(), &msg);
        }
        let Some(node) = self.node() else {
            // Closed while the message was on its way: nobody finishes it.
            if let Some(delivery) = msg.delivery() {
                delivery.abandon();
            }
            return;
        };
        let delivery = msg.delivery().cloned();
        let health = self.cx.shared().health();
        if health.is_cutting() {
            return cut_off(delivery.as_ref());
        }
        let trail = delivery.as_ref().and_then(|delivery| delivery.trail());
        let step = trail.and_then(|trail| trail.reaches(self.cx.id(), &msg.value()));
        let began = self.cx.view().receives();
        let handled = catch_unwind(AssertUnwindSafe(|| node.receive(msg)));
        if let Some(began) = began {
            self.cx.view().took(began);
        }
        if let (Some(trail), Some(step)) = (trail, step) {
            trail.leaves(step);
        }
        if health.is_cutting() {
            // It was stopped in the middle, or would have to wait for the rest: another replica does it again.
            return cut_off(delivery.as_ref());
        }
        if let Err(panic) = handled {
            let why = panicked(&self.cx, panic.as_ref());
            self.cx.report().error(why, Some(&Msg::default().in_delivery(delivery)));
        }
    }

    /// Starts the node. A panic is that node's problem and nothing else's.
    pub(crate) fn start(&self) {
        let Some(node) = self.node() else { return };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| node.start())) {
            let why = panicked(&self.cx, panic.as_ref());
            self.cx.report().log_at(Level::Error, why.as_str().into());
            self.cx.report().broken(why.as_str());
            *self.node.borrow_mut() = Some(Rc::new(Inert::new(self.cx.clone())));
        }
        self.cx.report().has_started();
    }
}

impl Receive for Slot {
    /// A panic in a node is that node's error and nothing else's.
    fn receive(&self, mut msg: Msg) {
        msg.ensure_id();
        self.handle(msg);
    }
}

fn cut_off(delivery: Option<&Arc<Delivery>>) {
    if let Some(delivery) = delivery {
        delivery.abandon();
    }
}

/// What a node's panic is called.
pub(crate) fn panicked(cx: &NodeCx, panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
    format!("internal error in {} node: {text}", cx.kind())
}
