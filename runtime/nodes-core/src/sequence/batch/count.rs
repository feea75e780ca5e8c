//! Batches of so many messages, which may overlap.

use std::cell::{Cell, RefCell};

use futures::future::LocalBoxFuture;

use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError};

use super::node::{complete, overflow, send_sequence};

pub(super) struct Count {
    cx: NodeCx,
    size: f64,
    overlap: usize,
    honour_parts: bool,
    held: RefCell<Vec<Msg>>,
    /// Messages since the last batch: those kept for the overlap do not count against the bound.
    fresh: Cell<usize>,
}

impl Count {
    pub(super) fn new(cx: NodeCx) -> Result<Count, NodeError> {
        let config = cx.config();
        let count = props::value(config, "count");
        let count = if count.truthy() { count.to_number() } else { 1.0 };
        let overlap = props::number(config, "overlap");
        if count <= overlap {
            return Err(NodeError::new(cx.text("batch.count.invalid", &[])));
        }
        let honour_parts = props::flag(config, "honourParts");
        let overlap = if overlap > 0.0 { overlap as usize } else { 0 };
        Ok(Count { size: count, overlap, honour_parts, held: RefCell::default(), fresh: Cell::new(0), cx: cx.clone() })
    }
}

impl Node for Count {
    fn receive(&self, msg: Msg) {
        if msg.has("reset") {
            complete(&self.cx, self.held.take());
            self.fresh.set(0);
            return self.cx.report().done(&msg);
        }
        let parts = msg.get("parts");
        let last = self.honour_parts
            && parts.get("index").as_number().is_some_and(|index| parts.get("count").as_number() == Some(index + 1.0));
        let mut held = self.held.take();
        held.push(msg);
        self.fresh.set(self.fresh.get() + 1);
        if (held.len() as f64).total_cmp(&self.size).is_eq() || last {
            send_sequence(&self.cx, &held);
            let kept = held.split_off(held.len().saturating_sub(self.overlap));
            complete(&self.cx, std::mem::replace(&mut held, kept));
            self.fresh.set(0);
        }
        overflow(&self.cx, &mut held, self.fresh.get());
        if held.is_empty() {
            self.fresh.set(0);
        }
        *self.held.borrow_mut() = held;
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.held.borrow().iter().for_each(|msg| self.cx.report().done(msg));
        Box::pin(std::future::ready(()))
    }
}
