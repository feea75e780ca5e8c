//! The switch node.

use std::cell::RefCell;
use std::rc::Rc;

use futures::future::LocalBoxFuture;

use flotilla_engine::expression::Typed;
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::Value;

use super::rule::{Rule, has_parts};
use super::sequence::Sequences;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("switch", build);

struct Switch {
    cx: NodeCx,
    /// `None` when a rule is malformed: then messages end here, as in Node-RED.
    rules: Option<(Typed, Vec<Rule>)>,
    check_all: bool,
    repair: bool,
    needs_count: bool,
    previous: RefCell<Value>,
    sequences: RefCell<Sequences>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let invalid = |error: &flotilla_engine::expression::ExpressionError| {
        cx.report().error(cx.text("switch.errors.invalid-expr", &[("error", &error.message)]), None);
    };
    let property = Typed::prepare(&props::text(config, "propertyType", "msg"), &props::value(config, "property"));
    let property = property.inspect_err(invalid).ok();
    let sources = props::value(config, "rules").as_array().map(<[Value]>::to_vec).unwrap_or_default();
    let prepared: Vec<_> = sources.iter().map(Rule::prepare).collect();
    prepared.iter().filter_map(|rule| rule.as_ref().err()).for_each(invalid);
    let rules = prepared.into_iter().collect::<Result<Vec<_>, _>>().ok();
    let repair = props::flag(config, "repair");
    let needs_count = repair || rules.iter().flatten().any(|rule| rule.kind == "tail");
    Ok(Rc::new(Switch {
        rules: property.zip(rules),
        check_all: props::text(config, "checkall", "true") != "false",
        repair,
        needs_count,
        previous: RefCell::new(Value::Null),
        sequences: RefCell::default(),
        cx,
    }))
}

impl Switch {
    /// What each output gets, up to the last rule that was looked at.
    fn outputs(&self, property: &Value, rules: &[Rule], msg: &Msg) -> Result<Vec<Option<Msg>>, Value> {
        let previous = self.previous.borrow().clone();
        let (mut outputs, mut none_held) = (Vec::with_capacity(rules.len()), true);
        for rule in rules {
            let otherwise;
            let subject = if rule.kind == "else" {
                otherwise = Value::Bool(std::mem::replace(&mut none_held, true));
                &otherwise
            } else {
                property
            };
            if rule.holds(&self.cx, msg, subject, &previous)? {
                outputs.push(Some(msg.clone()));
                none_held = false;
                if !self.check_all {
                    break;
                }
            } else {
                outputs.push(None);
            }
        }
        if !rules.is_empty() {
            *self.previous.borrow_mut() = property.clone();
        }
        Ok(outputs)
    }

    fn process(&self, msg: &Msg) {
        let Some((property, rules)) = &self.rules else { return self.cx.report().refuse(msg) };
        let value = match property.evaluate(&self.cx, &msg.value()) {
            Err(error) if property.is_jsonata() => {
                self.cx.report().warn(self.cx.text("switch.errors.invalid-expr", &[("error", &error.message)]));
                return self.cx.report().done(msg);
            }
            value => value.unwrap_or_default(),
        };
        match self.outputs(&value, rules, msg) {
            Err(error) => return self.cx.report().error(error, Some(msg)),
            Ok(outputs) if !self.repair || !has_parts(msg) => self.send(outputs),
            Ok(outputs) => {
                let ready = self.sequences.borrow_mut().repair(msg, outputs);
                for row in ready.into_iter().flatten() {
                    self.send(row);
                }
                self.check_bound(msg);
            }
        }
        self.cx.report().done(msg);
    }

    fn send(&self, outputs: Vec<Option<Msg>>) {
        for (port, msg) in outputs.into_iter().enumerate() {
            if let Some(msg) = msg {
                self.cx.out().send_to(port, msg);
            }
        }
    }

    fn check_bound(&self, msg: &Msg) {
        let bound = self.cx.settings().message_buffer_max();
        if bound > 0 && self.sequences.borrow().held() > bound {
            self.sequences.borrow_mut().clear();
            self.cx.report().error(self.cx.text("switch.errors.too-many", &[]), Some(msg));
        }
    }
}

impl Node for Switch {
    fn receive(&self, msg: Msg) {
        if !self.needs_count || !has_parts(&msg) {
            return self.process(&msg);
        }
        let whole = self.sequences.borrow_mut().wait(msg.clone());
        self.check_bound(&msg);
        for msg in whole.into_iter().flatten() {
            self.process(&msg);
        }
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.sequences.borrow_mut().clear();
        Box::pin(std::future::ready(()))
    }
}
