//! Rate limit: one message per interval; the others wait, are dropped, or go to a second output.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::Instant;

use futures::future::LocalBoxFuture;

use crate::function::rbe::parse_float;
use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx};
use flotilla_value::{Object, Value};

use super::timers::{Timer, millis};

/// The depth is shown at most this often.
const REPORT_MS: f64 = 500.0;

/// Lets one message through per interval.
pub(super) struct Rate {
    cx: NodeCx,
    me: Weak<Rate>,
    fixed_rate: f64,
    rate: Cell<f64>,
    /// `msg.rate` changes the rate.
    changeable: bool,
    drop: bool,
    two_outputs: bool,
    buffer: RefCell<VecDeque<Msg>>,
    interval: RefCell<Option<Timer>>,
    report: RefCell<Option<Timer>>,
    last_sent: Cell<Option<Instant>>,
}

impl Rate {
    pub(super) fn new(cx: NodeCx, rate: f64, changeable: bool, drop: bool, two_outputs: bool) -> Rc<Rate> {
        Rc::new_cyclic(|me| Rate {
            cx,
            me: me.clone(),
            fixed_rate: rate,
            rate: Cell::new(rate),
            changeable,
            drop,
            two_outputs,
            buffer: RefCell::default(),
            interval: RefCell::default(),
            report: RefCell::default(),
            last_sent: Cell::new(None),
        })
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
        let msg = self.buffer.borrow_mut().pop_front();
        match msg {
            None => {
                self.interval.borrow_mut().take();
            }
            Some(msg) if msg.object().len() > 1 => {
                self.cx.out().send(msg.clone());
                self.cx.report().done(&msg);
            }
            Some(_) => {}
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
                node.show_depth();
                node.report.borrow_mut().take();
            }
        }));
    }

    fn show_depth(&self) {
        self.cx.report().show("blue", "dot", self.buffer.borrow().len() as f64);
    }

    /// The rate that the message asks for, if it may.
    fn asked(&self, msg: &Msg) -> Option<f64> {
        let asked = msg.get_ref("rate").filter(|_| self.changeable).map(parse_float);
        asked.filter(|rate| !rate.is_nan())
    }

    fn limit(&self, msg: &Msg) {
        let mut kept = msg.clone();
        kept.remove("flush");
        if kept.object().len() > 1 {
            if self.interval.borrow().is_some() {
                self.keep(kept);
            } else {
                if let Some(rate) = self.asked(&kept) {
                    self.rate.set(rate);
                }
                if !msg.has("reset") {
                    self.cx.out().send(kept);
                } else if msg.has("flush") {
                    self.buffer.borrow_mut().push_back(kept);
                }
                self.report_depth();
                self.run_interval();
                self.cx.report().done(msg);
            }
        }
        if msg.has("flush") {
            self.flush(msg);
        }
    }

    fn keep(&self, msg: Msg) {
        if let Some(rate) = self.asked(&msg).filter(|rate| rate.total_cmp(&self.rate.get()).is_ne()) {
            self.rate.set(rate);
            self.run_interval();
        }
        let bound = self.cx.settings().message_buffer_max();
        if bound > 0 && self.buffer.borrow().len() >= bound {
            self.buffer.borrow_mut().clear();
            return self.cx.report().error(self.cx.text("delay.errors.too-many", &[]), Some(&msg));
        }
        if msg.get("toFront") == Value::Bool(true) {
            self.buffer.borrow_mut().push_front(msg);
        } else {
            self.buffer.borrow_mut().push_back(msg);
        }
        self.report_depth();
    }

    fn flush(&self, msg: &Msg) {
        let held = self.buffer.borrow().len();
        let many = msg.get("flush").as_number().map_or(held, |many| (many.floor().max(0.0) as usize).min(held));
        if many == 0 {
            self.interval.borrow_mut().take();
        } else {
            for _ in 0..many {
                let Some(mut next) = self.buffer.borrow_mut().pop_front() else { break };
                next.remove("flush");
                next.remove("reset");
                if next.object().len() > 1 {
                    self.cx.out().send(next.clone());
                    self.cx.report().done(&next);
                }
            }
            self.run_interval();
        }
        self.show_depth();
        self.cx.report().done(msg);
    }

    fn pass_or_drop(&self, msg: &Msg) {
        if let Some(rate) = self.asked(msg) {
            self.rate.set(rate);
        }
        let due = self.last_sent.get().is_none_or(|last| last.elapsed() > millis(self.rate.get()));
        if due {
            self.last_sent.set(Some(Instant::now()));
            self.cx.out().send(msg.clone());
        } else if self.two_outputs {
            self.cx.out().send_to(1, msg.clone());
        }
        self.cx.report().done(msg);
    }
}

impl Node for Rate {
    fn receive(&self, msg: Msg) {
        if !self.drop {
            self.limit(&msg);
        } else if !msg.has("reset") {
            self.pass_or_drop(&msg);
        }
        if msg.has("reset") {
            if !msg.has("flush") {
                self.interval.borrow_mut().take();
                self.last_sent.set(None);
            }
            self.buffer.borrow_mut().clear();
            self.rate.set(self.fixed_rate);
            self.cx.report().show("blue", "ring", 0.0);
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
