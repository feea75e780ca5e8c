//! The change node.

use std::rc::Rc;

use flotilla_engine::expression::{Typed, context_get, context_set};
use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Path, Value};

use super::aliases::{Aliases, is_shared};
use super::replace::Wanted;
use super::rule::{Action, From, Place, Rule, place, sources};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("change", build);

/// Where a move between a property and one inside it puts the value meanwhile.
const TEMPORARY: &str = "_temp_move";

struct Change {
    cx: NodeCx,
    /// `None` when a rule is malformed: then messages end here, as in Node-RED.
    rules: Option<Vec<Rule>>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let prepared: Vec<_> = sources(cx.config()).iter().map(|rule| Rule::prepare(rule, &cx)).collect();
    for invalid in prepared.iter().filter_map(|rule| rule.as_ref().err()) {
        cx.report().error(cx.text(invalid.key, &[("error", &invalid.error)]), None);
    }
    let rules = prepared.into_iter().collect::<Result<_, _>>().ok();
    Ok(Rc::new(Change { cx, rules }))
}

/// A rule ended the message: the error went to catch nodes.
struct Ended;

impl Change {
    fn fail<T>(&self, text: impl Into<Value>, msg: &Msg) -> Result<T, Ended> {
        self.cx.report().error(text, Some(msg));
        Err(Ended)
    }

    /// The value of a `to` field. `None`: a parent on its path is missing, and the rule does nothing.
    fn value(&self, typed: &Typed, msg: &Msg) -> Result<Option<Value>, Ended> {
        match typed.evaluate(&self.cx, &msg.value()) {
            Ok(value) => Ok(Some(value)),
            Err(error) if typed.is_jsonata() => {
                self.fail(self.cx.text("change.errors.invalid-expr", &[("error", &error.message)]), msg)
            }
            Err(_) if typed.is_context() => Ok(Some(Value::Undefined)),
            Err(_) => Ok(None),
        }
    }

    fn read(&self, at: &Place, msg: &Msg) -> Option<Value> {
        match at {
            Place::Message(path) => msg.get_path(path.as_ref().ok()?).ok(),
            Place::Context { global, key } => context_get(&self.cx, *global, key, Some(&msg.value())).ok(),
            Place::Nowhere => None,
        }
    }

    /// `set_by` names the property that a rule sets, which warns when it could not be set.
    fn write(&self, at: &Place, set_by: Option<&str>, value: Value, changed: &mut Changed) -> Result<(), Ended> {
        match at {
            Place::Message(Ok(path)) => {
                let create = !value.is_undefined();
                if let (Ok(false), Some(property)) = (changed.msg.set_path(path, value, create), set_by) {
                    self.cx.report().warn(self.cx.text("change.errors.no-override", &[("property", property)]));
                }
                changed.written(path);
                Ok(())
            }
            Place::Context { global, key } => {
                match context_set(&self.cx, *global, key, Some(&changed.msg.value()), value) {
                    Ok(()) => Ok(()),
                    Err(error) => self.fail(error, &changed.msg),
                }
            }
            Place::Message(Err(_)) | Place::Nowhere => Ok(()),
        }
    }

    fn wanted(&self, from: &From, msg: &Msg) -> Result<Option<Wanted>, Ended> {
        let From::Read(typed) = from else { return Ok(Wanted::given(from)) };
        let value = match typed.evaluate(&self.cx, &msg.value()) {
            Ok(value) => value,
            Err(error) if typed.is_context() => return self.fail(error, msg),
            Err(_) => return Ok(None),
        };
        match Wanted::read(value) {
            Ok(wanted) => Ok(Some(wanted)),
            Err(error) => {
                let text = self.cx.text("change.errors.invalid-from", &[("error", &error)]);
                self.fail(Value::Error(std::sync::Arc::new(flotilla_value::ErrorValue::new(text))), msg)
            }
        }
    }

    /// `set` the target from the source, then `delete` the source.
    fn carry(&self, from: &Place, to: &Place, property: &str, changed: &mut Changed) -> Result<(), Ended> {
        if let Some(value) = self.read(from, &changed.msg) {
            let source = match from {
                Place::Message(path) => path.as_ref().ok(),
                _ => None,
            };
            self.set(to, property, value, source, changed)?;
        }
        self.write(from, None, Value::Undefined, changed)
    }

    /// Sets a property to a value, which is the same object as that in `source`.
    fn set(
        &self,
        at: &Place,
        property: &str,
        value: Value,
        source: Option<&Path>,
        changed: &mut Changed,
    ) -> Result<(), Ended> {
        let shared = source.filter(|_| is_shared(&value));
        self.write(at, Some(property), value, changed)?;
        if let (Place::Message(Ok(target)), Some(source)) = (at, shared) {
            changed.join(target, source);
        }
        Ok(())
    }

    fn apply(&self, rule: &Rule, changed: &mut Changed) -> Result<(), Ended> {
        match &rule.action {
            Action::Set { value, source } => match self.value(value, &changed.msg)? {
                Some(value) => self.set(&rule.place, &rule.property, value, source.as_ref(), changed),
                None => Ok(()),
            },
            Action::Change { from, value, to_kind } => {
                let msg = &changed.msg;
                let Some(value) = self.value(value, msg)? else { return Ok(()) };
                let Some(wanted) = self.wanted(from, msg)? else { return Ok(()) };
                let Some(current) = self.read(&rule.place, msg) else { return Ok(()) };
                match wanted.replace(&current, &value, to_kind) {
                    Ok(Some(replaced)) => self.write(&rule.place, None, replaced, changed),
                    Ok(None) => Ok(()),
                    Err(error) => self.fail(error.to_text(), msg),
                }
            }
            Action::Delete => self.write(&rule.place, None, Value::Undefined, changed),
            Action::Move { to, to_property, nested: false } => self.carry(&rule.place, to, to_property, changed),
            Action::Move { to, to_property, nested: true } => {
                let kind = match to {
                    Place::Context { global: true, .. } => "global",
                    Place::Context { global: false, .. } => "flow",
                    _ => "msg",
                };
                let temporary = place(kind, TEMPORARY);
                self.carry(&rule.place, &temporary, TEMPORARY, changed)?;
                self.carry(&temporary, to, to_property, changed)
            }
            Action::Nothing => Ok(()),
        }
    }
}

/// A message that rules change.
struct Changed {
    msg: Msg,
    aliases: Aliases,
}

impl Changed {
    fn written(&mut self, path: &Path) {
        if self.aliases.is_empty() {
            return;
        }
        if let Some(path) = self.resolved(path) {
            self.aliases.written(&path, &mut self.msg);
        }
    }

    fn join(&mut self, target: &Path, source: &Path) {
        if let (Some(target), Some(source)) = (self.resolved(target), self.resolved(source)) {
            self.aliases.join(target, source);
        }
    }

    fn resolved(&self, path: &Path) -> Option<Path> {
        path.resolved(Some(&self.msg.value())).ok().map(Path::from_parts)
    }
}

impl Node for Change {
    fn receive(&self, msg: Msg) {
        let Some(rules) = &self.rules else { return self.cx.report().refuse(&msg) };
        let mut changed = Changed { msg, aliases: Aliases::default() };
        for rule in rules {
            if self.apply(rule, &mut changed).is_err() {
                return;
            }
        }
        self.cx.out().send(changed.msg.clone());
        self.cx.report().done(&changed.msg);
    }
}
