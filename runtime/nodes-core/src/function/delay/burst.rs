//! Bursts (Node-RED 5): so many messages in a span pass at once, the others are dropped or go to a second output.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::Instant;

use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx};
use flotilla_value::Object;
use futures::future::LocalBoxFuture;

use super::timers::{Timer, millis};

/// Lets so many messages through in a span.
pub(super) struct Burst {
    cx: NodeCx,
    me: Weak<Burst>,
    /// Messages; no number lets none through, as in Node-RED.
    most: f64,
    span_ms: f64,
    two_outputs: bool,
    /// When each of the messages that passed stops to count, the first one first.
    passed: RefCell<VecDeque<Instant>>,
    /// Shows that there is room again.
    room: RefCell<Option<Timer>>,
}

impl Burst {
    pub(super) fn new(cx: NodeCx, most: f64, span_ms: f64, two_outputs: bool) -> Rc<Burst> {
        cx.report().show("green", "ring", "");
        Rc::new_cyclic(|me| Burst {
            cx,
            me: me.clone(),
            most,
            span_ms,
            two_outputs,
            passed: RefCell::default(),
            room: RefCell::default(),
        })
    }

    fn pass(&self, msg: &Msg) {
        let now = Instant::now();
        let passed = {
            let mut passed = self.passed.borrow_mut();
            while passed.front().is_some_and(|ends| *ends <= now) {
                passed.pop_front();
            }
            let passes = (passed.len() as f64) < self.most;
            if passes {
                passed.push_back(now + millis(self.span_ms));
            }
            passes
        };
        if passed {
            self.cx.out().send(msg.clone());
            self.watch(now);
        } else {
            if self.two_outputs {
                self.cx.out().send_to(1, msg.clone());
            }
            self.cx.report().show("red", "dot", "");
        }
        self.cx.report().done(msg);
    }

    /// Once it is full: shows when there is room again.
    fn watch(&self, now: Instant) {
        let passed = self.passed.borrow();
        let Some(first) = passed.front().filter(|_| passed.len() as f64 >= self.most) else { return };
        let me = self.me.clone();
        let wait_ms = first.saturating_duration_since(now).as_secs_f64() * 1000.0;
        *self.room.borrow_mut() = Some(Timer::after(wait_ms, move || {
            if let Some(node) = me.upgrade() {
                node.cx.report().show("green", "ring", "");
            }
        }));
    }
}

impl Node for Burst {
    fn receive(&self, msg: Msg) {
        if !msg.has("reset") {
            return self.pass(&msg);
        }
        self.passed.borrow_mut().clear();
        self.room.borrow_mut().take();
        self.cx.report().show("green", "ring", "");
        self.cx.report().done(&msg);
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.room.borrow_mut().take();
        self.cx.report().status(Object::new());
        Box::pin(std::future::ready(()))
    }
}
