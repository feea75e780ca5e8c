//! One call of a function node's code, and everything that comes of it.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use rquickjs::class::{JsClass, Readable, Trace, Tracer};
use rquickjs::function::Constructor;
use rquickjs::{Ctx, Result};

use crate::message::{Delivery, Msg};
use crate::value::Value;

use super::reads::Reads;

/// One call of a function node's code. Whoever may still act for it holds it: the running code, its timers, the promise
/// that it returned; with the last of them its delivery is let go.
pub(super) struct Invocation {
    /// The message as it came in.
    pub(super) msg: Msg,
    /// `done` was called.
    pub(super) done: Cell<bool>,
    /// What it read of context that others may write.
    pub(super) reads: Reads,
}

/// The `node` object of one call, as seen from Rust.
#[derive(rquickjs::JsLifetime)]
pub(super) struct NodeHandle {
    of: Of,
}

struct Of {
    id: Value,
    invocation: Weak<Invocation>,
    /// Set while only the script itself can finish the message, by calling `node.done`.
    held: RefCell<Option<Rc<Invocation>>>,
}

impl Invocation {
    pub(super) fn new(msg: Msg) -> Rc<Invocation> {
        Rc::new(Invocation { msg, done: Cell::new(false), reads: Reads::default() })
    }

    /// The delivery that messages sent from here belong to.
    pub(super) fn delivery(&self) -> Option<Arc<Delivery>> {
        self.msg.delivery().cloned()
    }
}

impl NodeHandle {
    /// The handle of a call. With `until_done` it holds the call until `node.done()`, or until the script drops `node`.
    pub(super) fn new(invocation: &Rc<Invocation>, until_done: bool) -> NodeHandle {
        NodeHandle {
            of: Of {
                id: invocation.msg.get("_msgid"),
                invocation: Rc::downgrade(invocation),
                held: RefCell::new(until_done.then(|| invocation.clone())),
            },
        }
    }

    /// The id of the message that the call is about.
    pub(super) fn msg_id(&self) -> Value {
        self.of.id.clone()
    }

    /// The call, while anyone holds it.
    pub(super) fn invocation(&self) -> Option<Rc<Invocation>> {
        self.of.invocation.upgrade()
    }

    /// Lets go of the call.
    pub(super) fn release(&self) -> Option<Rc<Invocation>> {
        self.of.held.borrow_mut().take()
    }
}

impl<'js> Trace<'js> for NodeHandle {
    fn trace<'a>(&self, _tracer: Tracer<'a, 'js>) {}
}

impl<'js> JsClass<'js> for NodeHandle {
    const NAME: &'static str = "FunctionNode";
    type Mutable = Readable;

    fn constructor(_ctx: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}
