//! Joining by expressions.

use std::cell::RefCell;
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use rustc_hash::FxHashMap;

use flotilla_engine::expression::{ExpressionError, Jsonata, Typed};
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError};
use flotilla_value::{ErrorValue, Str, Value};

/// The join node in reduce mode.
pub(super) struct Reduce {
    cx: NodeCx,
    reduce: Rc<Jsonata>,
    fixup: Option<Rc<Jsonata>>,
    initial: Typed,
    right_to_left: bool,
    groups: RefCell<FxHashMap<Str, Group>>,
}

#[derive(Default)]
struct Group {
    count: Option<f64>,
    msgs: Vec<Msg>,
}

impl Reduce {
    pub(super) fn new(cx: NodeCx) -> Result<Reduce, NodeError> {
        let config = cx.config();
        let refused =
            |error: ExpressionError| NodeError::new(cx.text("join.errors.invalid-expr", &[("error", &error.message)]));
        let fixup = props::text(config, "reduceFixup", "");
        let (kind, initial) = (props::text(config, "reduceInitType", ""), props::value(config, "reduceInit"));
        Ok(Reduce {
            reduce: Jsonata::compile(&props::text(config, "reduceExp", "")).map_err(refused)?,
            fixup: if fixup.is_empty() { None } else { Some(Jsonata::compile(&fixup).map_err(refused)?) },
            initial: Typed::prepare(&kind, &initial).map_err(refused)?,
            right_to_left: props::flag(config, "reduceRight"),
            groups: RefCell::default(),
            cx: cx.clone(),
        })
    }
}

impl Node for Reduce {
    fn receive(&self, msg: Msg) {
        let parts = msg.get("parts");
        if parts.is_undefined() {
            self.cx.out().send(msg.clone());
            return self.cx.report().done(&msg);
        }
        let id = parts.get("id").to_text();
        let mut groups = self.groups.borrow_mut();
        let group = groups.entry(id.clone()).or_default();
        group.count = group.count.or(parts.get("count").as_number());
        group.msgs.push(msg.clone());
        if group.count == Some(group.msgs.len() as f64) {
            let group = groups.remove(&id).unwrap_or_default();
            drop(groups);
            self.reduce(group);
            return;
        }
        let most = self.cx.settings().message_buffer_max();
        if most > 0 && groups.values().map(|group| group.msgs.len()).sum::<usize>() > most {
            let given_up: Vec<Msg> = groups.drain().flat_map(|(_, group)| group.msgs).collect();
            drop(groups);
            given_up.iter().filter(|held| held.id() != msg.id()).for_each(|held| self.cx.report().done(held));
            self.cx.report().error(self.cx.text("join.too-many", &[]), Some(&msg));
        }
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.groups.borrow().values().flat_map(|group| &group.msgs).for_each(|msg| self.cx.report().done(msg));
        Box::pin(std::future::ready(()))
    }
}

impl Reduce {
    fn reduce(&self, group: Group) {
        let mut msgs = group.msgs;
        let count = group.count.unwrap_or(0.0);
        let place = |msg: &Msg| msg.get("parts").get("index").to_number();
        msgs.sort_by(|a, b| {
            let order = place(a).total_cmp(&place(b));
            if self.right_to_left { order.reverse() } else { order }
        });
        let result = self.fold(&msgs, count);
        let Some(last) = msgs.last().cloned() else { return };
        match result {
            Ok(value) => {
                let mut out = last;
                out.set("payload", value);
                self.cx.out().send(out);
                for msg in &msgs {
                    self.cx.report().done(msg);
                }
            }
            Err(error) => {
                msgs.pop();
                for msg in &msgs {
                    self.cx.report().done(msg);
                }
                let code = error.code.as_deref().unwrap_or("JSONATA");
                self.cx.report().error(Value::Error(ErrorValue::with_code(&error.message, code).into()), Some(&last));
            }
        }
    }

    fn fold(&self, msgs: &[Msg], count: f64) -> Result<Value, ExpressionError> {
        let mut accumulated = self.initial.evaluate(&self.cx, &Value::object())?;
        for msg in msgs {
            let variables = [
                ("I", msg.get("parts").get("index")),
                ("N", Value::Number(count)),
                ("A", std::mem::take(&mut accumulated)),
            ];
            accumulated = self.reduce.evaluate(Rc::new(self.cx.clone()), &msg.value(), &variables)?;
        }
        match &self.fixup {
            None => Ok(accumulated),
            Some(fixup) => {
                let variables = [("N", Value::Number(count)), ("A", accumulated)];
                fixup.evaluate(Rc::new(self.cx.clone()), &Value::object(), &variables)
            }
        }
    }
}
