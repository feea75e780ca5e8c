//! Delays of each message: fixed, by `msg.delay`, or random.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use futures::future::LocalBoxFuture;

use crate::function::rbe::parse_float;
use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx};
use flotilla_value::{Object, Value};

use super::timers::Timer;

/// How long a message waits, in milliseconds.
pub(super) enum Wait {
    /// The node's time.
    Fixed,
    /// `msg.delay`, else this.
    Message(f64),
    /// Anything between.
    Random { first: f64, last: f64 },
}

/// Holds each message for its time.
pub(super) struct Hold {
    cx: NodeCx,
    me: Weak<Hold>,
    wait: Wait,
    fixed: f64,
    held: RefCell<Vec<(u64, Msg, Timer)>>,
    next: Cell<u64>,
}

impl Hold {
    pub(super) fn new(cx: NodeCx, wait: Wait, fixed: f64) -> Rc<Hold> {
        Rc::new_cyclic(|me| Hold { cx, me: me.clone(), wait, fixed, held: RefCell::default(), next: Cell::new(0) })
    }

    fn show_count(&self) {
        self.cx.report().show("blue", "dot", self.held.borrow().len() as f64);
    }

    /// Statuses are shown for waits that a person can see.
    fn shows(&self, fired: bool) -> bool {
        match self.wait {
            Wait::Fixed => self.fixed > 1000.0,
            Wait::Message(_) => true,
            Wait::Random { .. } => self.fixed >= 1000.0 && (fired || self.fixed.is_finite()),
        }
    }

    fn duration(&self, msg: &Msg) -> f64 {
        match self.wait {
            Wait::Fixed => self.fixed,
            Wait::Message(default) => {
                let given = msg.get_ref("delay").map_or(f64::NAN, parse_float);
                if given.is_nan() { default } else { given }.max(0.0)
            }
            Wait::Random { first, last } => first + (last - first) * rand::random::<f64>(),
        }
    }

    fn release(&self, id: u64) {
        let Some(at) = self.held.borrow().iter().position(|(held, ..)| *held == id) else { return };
        let (_, msg, _timer) = self.held.borrow_mut().remove(at);
        if matches!(self.wait, Wait::Fixed) && self.shows(true) {
            self.show_count();
        }
        if matches!(self.wait, Wait::Message(_)) && self.held.borrow().is_empty() {
            self.cx.report().status(Object::new());
        }
        self.cx.out().send(msg.clone());
        if !matches!(self.wait, Wait::Fixed) && self.shows(true) {
            self.show_count();
        }
        self.cx.report().done(&msg);
    }

    fn forget_all(&self) {
        let held = std::mem::take(&mut *self.held.borrow_mut());
        for (_, msg, _timer) in &held {
            self.cx.report().done(msg);
        }
    }

    fn flush(&self, many: &Value) {
        let held = self.held.borrow().len();
        let many = many.as_number().map_or(held, |number| (number.floor().max(0.0) as usize).min(held));
        let ids: Vec<u64> = self.held.borrow().iter().take(many).map(|(id, ..)| *id).collect();
        for id in ids {
            self.release(id);
        }
        self.show_count();
    }
}

impl Node for Hold {
    fn receive(&self, msg: Msg) {
        let only_flush = msg.object().len() == 2 && msg.has("flush");
        if !only_flush {
            let id = self.next.replace(self.next.get() + 1);
            let me = self.me.clone();
            let timer = Timer::after(self.duration(&msg), move || {
                if let Some(node) = me.upgrade() {
                    node.release(id);
                }
            });
            self.held.borrow_mut().push((id, msg.clone(), timer));
        }
        if msg.has("reset") {
            self.forget_all();
            self.cx.report().show("blue", "ring", 0.0);
        }
        let flushes = msg.has("flush") && (!msg.has("reset") || !matches!(self.wait, Wait::Fixed));
        if flushes {
            self.flush(&msg.get("flush"));
            if only_flush {
                self.cx.report().done(&msg);
            }
        }
        let commanded = matches!(self.wait, Wait::Fixed) && (msg.has("reset") || msg.has("flush"));
        if !commanded && self.shows(false) {
            self.show_count();
        }
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.cx.report().status(Object::new());
        Box::pin(std::future::ready(()))
    }
}
