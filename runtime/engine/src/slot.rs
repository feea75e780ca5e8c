//! A live node's place on its worker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::message::Msg;

use super::cx::NodeCx;
use super::node::Node;

/// A live node and its handle.
pub struct Slot {
    /// The node's handle to the engine.
    pub cx: NodeCx,
    node: RefCell<Option<Rc<dyn Node>>>,
    tapped: Cell<bool>,
}

impl Slot {
    pub(crate) fn new(cx: NodeCx, node: Rc<dyn Node>) -> Rc<Slot> {
        let tapped = Cell::new(cx.shared().observer.load().wants_inputs());
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

    /// The node handles a message, now. A panic in a node is that node's error and nothing else's.
    pub fn receive(&self, mut msg: Msg) {
        msg.ensure_id();
        self.handle(msg);
    }

    /// As [`Slot::receive`], with the message as it is: what a node emits to itself in Node-RED gets no id.
    pub fn handle(&self, msg: Msg) {
        if self.tapped.get() {
            self.cx.shared().observer.load().input(self.cx.id(), &msg);
        }
        let Some(node) = self.node() else {
            // Closed while the message was on its way: nobody finishes it.
            if let Some(delivery) = msg.delivery() {
                delivery.abandon();
            }
            return;
        };
        let delivery = msg.delivery().cloned();
        let handled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| node.receive(msg)));
        if let Err(panic) = handled {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            self.cx.error(
                format!("internal error in {} node: {text}", self.cx.kind()),
                Some(&Msg::default().in_delivery(delivery)),
            );
        }
    }
}
