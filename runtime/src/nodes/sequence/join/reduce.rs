//! Joining by expressions.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use rustc_hash::FxHashMap;

use crate::engine::{Node, NodeCx, NodeError};
use crate::message::Msg;
use crate::nodes::props;
use crate::nodes::sequence::expression::{Expression, TypedValue};
use crate::nodes::sequence::run_inline;
use crate::value::{Object, Str, Value};

/// The join node in reduce mode.
pub(super) struct Reduce(Rc<Inner>);

struct Inner {
    cx: NodeCx,
    reduce: Expression,
    fixup: Option<Expression>,
    initial: TypedValue,
    right_to_left: bool,
    groups: RefCell<FxHashMap<Str, Group>>,
    /// Sequences whose reduction waits for the one before: they must not overlap.
    waiting: RefCell<VecDeque<Group>>,
}

#[derive(Default)]
struct Group {
    count: Option<f64>,
    msgs: Vec<Msg>,
}

impl Reduce {
    pub(super) fn new(cx: NodeCx) -> Result<Reduce, NodeError> {
        let config = cx.config();
        let refused = |error: String| NodeError::new(cx.text("join.errors.invalid-expr", &[("error", &error)]));
        let fixup = props::text(config, "reduceFixup", "");
        let inner = Inner {
            reduce: Expression::new(&cx, &props::text(config, "reduceExp", "")).map_err(refused)?,
            fixup: if fixup.is_empty() { None } else { Some(Expression::new(&cx, &fixup).map_err(refused)?) },
            initial: TypedValue::new(
                &cx,
                props::value(config, "reduceInit"),
                &props::text(config, "reduceInitType", ""),
            )
            .map_err(refused)?,
            right_to_left: props::flag(config, "reduceRight"),
            groups: RefCell::default(),
            waiting: RefCell::default(),
            cx: cx.clone(),
        };
        Ok(Reduce(Rc::new(inner)))
    }
}

impl Node for Reduce {
    fn receive(&self, msg: Msg) {
        let inner = &self.0;
        let parts = msg.get("parts");
        if parts.is_undefined() {
            inner.cx.send(msg.clone());
            return inner.cx.done(&msg);
        }
        let id = parts.get("id").to_text();
        let mut groups = inner.groups.borrow_mut();
        let group = groups.entry(id.clone()).or_default();
        group.count = group.count.or(parts.get("count").as_number());
        group.msgs.push(msg.clone());
        if group.count == Some(group.msgs.len() as f64) {
            let group = groups.remove(&id).unwrap_or_default();
            drop(groups);
            let mut waiting = inner.waiting.borrow_mut();
            waiting.push_back(group);
            if waiting.len() == 1 {
                drop(waiting);
                let inner = inner.clone();
                run_inline(&self.0.cx, async move { inner.work().await });
            }
            return;
        }
        let most = inner.cx.settings().message_buffer_max();
        if most > 0 && groups.values().map(|group| group.msgs.len()).sum::<usize>() > most {
            let given_up: Vec<Msg> = groups.drain().flat_map(|(_, group)| group.msgs).collect();
            drop(groups);
            given_up.iter().filter(|held| held.id() != msg.id()).for_each(|held| inner.cx.done(held));
            inner.cx.error(inner.cx.text("join.too-many", &[]), Some(&msg));
        }
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.0.groups.borrow().values().flat_map(|group| &group.msgs).for_each(|msg| self.0.cx.done(msg));
        Box::pin(std::future::ready(()))
    }
}

impl Inner {
    /// Reduces the waiting sequences, in order.
    async fn work(&self) {
        loop {
            let Some(group) = self.waiting.borrow_mut().front_mut().map(std::mem::take) else { return };
            self.reduce(group).await;
            self.waiting.borrow_mut().pop_front();
        }
    }

    async fn reduce(&self, group: Group) {
        let mut msgs = group.msgs;
        let count = group.count.unwrap_or(0.0);
        let place = |msg: &Msg| msg.get("parts").get("index").to_number();
        msgs.sort_by(|a, b| {
            let order = place(a).total_cmp(&place(b));
            if self.right_to_left { order.reverse() } else { order }
        });
        let result = self.fold(&msgs, count).await;
        let Some(last) = msgs.last().cloned() else { return };
        match result {
            Ok(value) => {
                let mut out = last;
                out.set("payload", value);
                self.cx.send(out);
                for msg in &msgs {
                    self.cx.done(msg);
                }
            }
            Err(text) => {
                msgs.pop();
                for msg in &msgs {
                    self.cx.done(msg);
                }
                self.cx.error(self.cx.text("join.errors.invalid-expr", &[("error", &text)]), Some(&last));
            }
        }
    }

    async fn fold(&self, msgs: &[Msg], count: f64) -> Result<Value, String> {
        let mut accumulated = self.initial.evaluate().await?;
        for msg in msgs {
            let variables = [
                ("I", msg.get("parts").get("index")),
                ("N", Value::Number(count)),
                ("A", std::mem::take(&mut accumulated)),
            ];
            accumulated = self.reduce.evaluate(&msg.value(), &variables).await?;
        }
        match &self.fixup {
            None => Ok(accumulated),
            Some(fixup) => {
                let variables = [("N", Value::Number(count)), ("A", accumulated)];
                fixup.evaluate(&Value::from(Object::new()), &variables).await
            }
        }
    }
}
