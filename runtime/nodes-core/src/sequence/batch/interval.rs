//! Batches of what arrived in a stretch of time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures::future::LocalBoxFuture;

use flotilla_engine::message::{Msg, generate_id};
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx};
use flotilla_value::Value;

use super::node::{complete, empty_sequence, overflow, send_sequence};

pub(super) struct Interval {
    cx: NodeCx,
    period: Option<Duration>,
    allow_empty: bool,
    held: Rc<RefCell<Vec<Msg>>>,
    /// Counts restarts: a timer task of an earlier one ends itself.
    turn: Rc<Cell<u64>>,
}

impl Interval {
    pub(super) fn new(cx: NodeCx) -> Interval {
        let config = cx.config();
        let seconds = props::number(config, "interval");
        let period = (seconds > 0.0).then(|| flotilla_value::wait_seconds(seconds));
        let allow_empty = props::flag(config, "allowEmptySequence");
        let node = Interval { period, allow_empty, held: Rc::default(), turn: Rc::default(), cx: cx.clone() };
        node.restart();
        node
    }

    fn restart(&self) {
        let turn = self.turn.get() + 1;
        self.turn.set(turn);
        // A period below a millisecond is one, as for JavaScript's timers.
        let Some(period) = self.period.map(|period| period.max(Duration::from_millis(1))) else { return };
        let (cx, held, allow_empty, current) =
            (self.cx.clone(), self.held.clone(), self.allow_empty, self.turn.clone());
        self.cx.work().spawn(async move {
            let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + period, period);
            loop {
                ticks.tick().await;
                if current.get() != turn {
                    return;
                }
                let msgs = held.take();
                if msgs.is_empty() {
                    if allow_empty {
                        cx.out().send(Msg::new(empty_sequence(Value::String(generate_id()))));
                    }
                } else {
                    send_sequence(&cx, &msgs);
                    complete(&cx, msgs);
                }
            }
        });
    }
}

impl Node for Interval {
    fn receive(&self, msg: Msg) {
        if msg.has("reset") {
            complete(&self.cx, self.held.take());
            self.cx.report().done(&msg);
            return self.restart();
        }
        let mut held = self.held.borrow_mut();
        held.push(msg);
        let fresh = held.len();
        overflow(&self.cx, &mut held, fresh);
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.turn.set(self.turn.get() + 1);
        self.held.borrow().iter().for_each(|msg| self.cx.report().done(msg));
        Box::pin(std::future::ready(()))
    }
}
