//! The fair queue by topic: the latest message of each topic, one topic per interval, or all of them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use futures::future::LocalBoxFuture;

use crate::function::rbe::parse_float;
use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx};
use flotilla_value::Object;

use super::timers::Timer;

const REPORT_MS: f64 = 500.0;

/// Keeps the latest message of each topic.
pub(super) struct Queue {
    cx: NodeCx,
    me: Weak<Queue>,
    fixed_rate: f64,
    rate: Cell<f64>,
    changeable: bool,
    one_by_one: bool,
    two_outputs: bool,
    buffer: RefCell<VecDeque<Msg>>,
    interval: RefCell<Option<Timer>>,
    report: RefCell<Option<Timer>>,
}

impl Queue {
    pub(super) fn new(cx: NodeCx, rate: f64, changeable: bool, one_by_one: bool, two_outputs: bool) -> Rc<Queue> {
        let queue = Rc::new_cyclic(|me| Queue {
            cx,
            me: me.clone(),
            fixed_rate: rate,
            rate: Cell::new(rate),
            changeable,
            one_by_one,
            two_outputs,
            buffer: RefCell::default(),
            interval: RefCell::default(),
            report: RefCell::default(),
        });
        queue.run_interval();
        queue
    }

    fn run_interval(&self) {
        let me = self.me.clone();
        let timer = Timer::every(self.rate.get(), move || {
            if let Some(node) = me.upgrade() {
                node.next();
            }
        });
        *self.interval.borrow_mut() = Some(timer);
    }

    fn next(&self) {
        let many = if self.one_by_one { 1 } else { self.buffer.borrow().len() };
        for _ in 0..many {
            let Some(msg) = self.buffer.borrow_mut().pop_front() else { break };
            self.cx.out().send(msg.clone());
            self.cx.report().done(&msg);
        }
        self.report_depth();
    }

    fn report_depth(&self) {
        let mut report = self.report.borrow_mut();
        if report.is_some() {
            return;
        }
        let me = self.me.clone();
        *report = Some(Timer::after(REPORT_MS, move || {
            if let Some(node) = me.upgrade() {
                node.cx.report().show("blue", "dot", node.buffer.borrow().len() as f64);
                node.report.borrow_mut().take();
            }
        }));
    }

    /// Puts a message in place of the one of its topic, or at the end.
    fn enter(&self, msg: &Msg) {
        let topic = msg.get("topic");
        let known = self.buffer.borrow().iter().position(|held| held.get("topic") == topic);
        let Some(at) = known else {
            self.buffer.borrow_mut().push_back(msg.clone());
            return self.report_depth();
        };
        let replaced = std::mem::replace(&mut self.buffer.borrow_mut()[at], msg.clone());
        if self.two_outputs {
            self.cx.out().send_to(1, replaced.clone());
        }
        self.cx.report().done(&replaced);
    }
}

impl Node for Queue {
    fn receive(&self, mut msg: Msg) {
        let asked = msg.get_ref("rate").filter(|_| self.changeable).map(parse_float);
        if let Some(rate) = asked.filter(|rate| !rate.is_nan() && rate.total_cmp(&self.rate.get()).is_ne()) {
            self.rate.set(rate);
            self.run_interval();
        }
        if !msg.has("topic") {
            msg.set("topic", "_none_");
        }
        self.enter(&msg);
        if msg.has("flush") {
            let held = self.buffer.borrow().len();
            let many = msg.get("flush").as_number().map_or(held, |many| (many.floor().max(0.0) as usize).min(held));
            for _ in 0..many {
                let Some(mut next) = self.buffer.borrow_mut().pop_front() else { break };
                next.remove("flush");
                next.remove("reset");
                if next.object().len() > 2 {
                    self.cx.out().send(next.clone());
                    self.cx.report().done(&next);
                }
            }
            self.cx.report().status(Object::new());
            self.cx.report().done(&msg);
        }
        if msg.has("reset") {
            let held = std::mem::take(&mut *self.buffer.borrow_mut());
            held.iter().for_each(|msg| self.cx.report().done(msg));
            self.rate.set(self.fixed_rate);
            self.cx.report().status([("text", "reset")].into_iter().collect::<Object>());
            self.cx.report().done(&msg);
        }
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.interval.borrow_mut().take();
        self.report.borrow_mut().take();
        self.cx.report().status(Object::new());
        Box::pin(std::future::ready(()))
    }
}
