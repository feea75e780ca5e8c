//! One call of a function node's code, and everything that comes of it.
#![expect(elided_lifetimes_in_paths, reason = "the derive of JsLifetime writes the type without its lifetime")]

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use rquickjs::class::{JsClass, Readable, Trace, Tracer};
use rquickjs::function::Constructor;
use rquickjs::{Ctx, Result, Value as JsValue};

use flotilla_engine::message::{Delivery, Msg};
use flotilla_value::Value;

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
pub(super) struct NodeHandle<'js> {
    of: Of,
    /// The message as the script has it, where only the script knows when it is done with it. The collector sees it here:
    /// a message that refers to `node` is garbage like any other.
    msg: Option<JsValue<'js>>,
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

impl<'js> NodeHandle<'js> {
    /// The handle of a call. With `until_done` it holds the call and its message until `node.done()`, or until the script
    /// drops `node`.
    pub(super) fn new(invocation: &Rc<Invocation>, msg: &JsValue<'js>, until_done: bool) -> NodeHandle<'js> {
        NodeHandle {
            of: Of {
                id: invocation.msg.get("_msgid"),
                invocation: Rc::downgrade(invocation),
                held: RefCell::new(until_done.then(|| invocation.clone())),
            },
            msg: until_done.then(|| msg.clone()),
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

    /// The message as the script has it now.
    pub(super) fn msg(&self) -> Option<JsValue<'js>> {
        self.msg.clone()
    }

    /// Lets go of the call.
    pub(super) fn release(&self) -> Option<Rc<Invocation>> {
        self.of.held.borrow_mut().take()
    }
}

impl<'js> Trace<'js> for NodeHandle<'js> {
    fn trace<'a>(&self, tracer: Tracer<'a, 'js>) {
        self.msg.trace(tracer);
    }
}

impl<'js> JsClass<'js> for NodeHandle<'js> {
    const NAME: &'static str = "FunctionNode";
    type Mutable = Readable;

    fn constructor(_ctx: &Ctx<'js>) -> Result<Option<Constructor<'js>>> {
        Ok(None)
    }
}
