//! The trigger node.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use futures::future::LocalBoxFuture;
use indexmap::IndexMap;

use crate::function::delay::Timer;
use crate::function::rbe::parse_float;
use flotilla_engine::expression::{ExpressionError, Plain};
use flotilla_engine::message::Msg;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_value::{Object, Str, Value};

use super::config::{Config, Output};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("trigger", build);

/// The topic of messages without one, and of all when topics are not kept apart.
const NO_TOPIC: &str = "_none";

struct Trigger {
    cx: NodeCx,
    me: Weak<Trigger>,
    config: Config,
    topics: RefCell<IndexMap<Str, State>>,
}

/// What goes on for one topic.
struct State {
    /// `None` while it waits for a reset.
    timer: Option<Timer>,
    /// The second payload, as far as it is known yet.
    second: Value,
    /// The latest message, for the output "latest message".
    latest: Msg,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = Config::read(cx.config()).map_err(|error| NodeError::new(error.message))?;
    Ok(Rc::new_cyclic(|me| Trigger { cx, me: me.clone(), config, topics: RefCell::default() }))
}

impl Trigger {
    fn show(&self) {
        let count = self.topics.borrow().len();
        let mut status = Object::new();
        if count > 0 {
            status.insert("fill", "blue");
            status.insert("shape", "dot");
        }
        if count > 1 {
            status.insert("text", count as f64);
        }
        self.cx.report().status(status);
    }

    fn resets(&self, msg: &Msg) -> bool {
        let payload = msg.get_ref("payload").filter(|payload| !payload.is_nullish());
        msg.has("reset")
            || (!self.config.reset.is_empty()
                && payload.is_some_and(|payload| payload.to_text() == self.config.reset.as_str()))
    }

    /// The payload of an output for a message; `None` when the output leaves it as it is.
    fn payload(&self, output: &Output, msg: &Msg) -> Result<Option<Value>, ExpressionError> {
        match output {
            Output::Nothing | Output::LastMessage => Ok(None),
            Output::Payload => Ok(Some(msg.get("payload"))),
            Output::Template(template) => Ok(Some(Value::from(template.render(&msg.value(), &Plain)?))),
            Output::Value { typed, .. } | Output::Date(typed) => Ok(Some(typed.evaluate(&self.cx, &msg.value())?)),
        }
    }

    fn timer(&self, topic: &Str, delay: f64, msg: Msg, extended: bool) -> Timer {
        let (me, topic) = (self.me.clone(), topic.clone());
        Timer::after(delay, move || {
            if let Some(node) = me.upgrade() {
                node.fire(&topic, msg, extended);
            }
        })
    }

    /// The time is over: sends the second message.
    fn fire(&self, topic: &Str, mut msg: Msg, extended: bool) {
        let late = match &self.config.second {
            Output::Value { typed, late: true } => Some(typed),
            Output::Date(typed) if !extended => Some(typed),
            _ => None,
        };
        let late = late.map(|typed| typed.evaluate(&self.cx, &msg.value())).transpose();
        let late = match late {
            Ok(late) => late,
            Err(error) => return self.cx.report().error(error, None),
        };
        let Some(state) = self.topics.borrow_mut().shift_remove(topic) else { return };
        let out = match &self.config.second {
            Output::Nothing => None,
            Output::LastMessage if !extended => Some(state.latest.clone()),
            _ => {
                msg.set("payload", late.unwrap_or_else(|| state.second.clone()));
                Some(msg)
            }
        };
        let send = |out: Option<Msg>| {
            if let Some(msg) = out {
                self.cx.out().send_to(usize::from(self.config.second_output), msg);
            }
        };
        // A prolonged wait shows its end before the message leaves, the first one after.
        if extended {
            self.show();
            send(out);
        } else {
            send(out);
            self.show();
        }
    }

    fn begin(&self, topic: &Str, delay: f64, msg: &mut Msg) -> Result<(), ExpressionError> {
        let second = self.payload(&self.config.second, msg)?.unwrap_or_default();
        let silent = matches!(self.config.first, Output::Nothing);
        if let Some(payload) = self.payload(&self.config.first, msg)? {
            msg.set("payload", payload);
        }
        let timer = if delay == 0.0 {
            None
        } else if self.config.repeat {
            (!silent).then(|| self.repeat(delay, msg.clone()))
        } else {
            Some(self.timer(topic, delay, msg.clone(), false))
        };
        let latest = match self.config.second {
            Output::LastMessage => msg.clone(),
            _ => Msg::default(),
        };
        self.topics.borrow_mut().insert(topic.clone(), State { timer, second, latest });
        self.cx.report().done(msg);
        self.show();
        if !silent {
            self.cx.out().send(msg.clone());
        }
        Ok(())
    }

    /// Sends the message again and again. Each is work of its own: the first one's delivery would otherwise never end.
    fn repeat(&self, delay: f64, msg: Msg) -> Timer {
        let me = self.me.clone();
        Timer::every(delay, move || {
            let Some(node) = me.upgrade() else { return };
            let mut again = msg.clone().in_delivery(Some(node.cx.work().begin(|_| {})));
            if matches!(node.config.first, Output::Date(_)) {
                again.set("payload", flotilla_engine::now_ms());
            }
            node.cx.out().send(again);
        })
    }
}

impl Node for Trigger {
    fn receive(&self, mut msg: Msg) {
        let topic = match msg.get_path(&self.config.topic) {
            Ok(topic) => topic,
            Err(error) => return self.cx.report().error(error.to_string(), Some(&msg)),
        };
        let topic = if self.config.by_topic && topic.truthy() { topic.to_text() } else { Str::new_static(NO_TOPIC) };
        let given = msg.get_ref("delay").filter(|_| self.config.override_delay).map_or(f64::NAN, parse_float);
        let delay = if given.is_nan() { self.config.delay } else { given };
        if self.resets(&msg) {
            self.topics.borrow_mut().shift_remove(&topic);
            self.show();
            return self.cx.report().done(&msg);
        }
        let running = self.topics.borrow().contains_key(&topic);
        if !running || self.config.repeat {
            if let Err(error) = self.begin(&topic, delay, &mut msg) {
                self.cx.report().error(error, Some(&msg));
            }
            return;
        }
        let timer = (self.config.extend && delay > 0.0).then(|| self.timer(&topic, delay, msg.clone(), true));
        if let Some(state) = self.topics.borrow_mut().get_mut(&topic) {
            if matches!(self.config.second, Output::LastMessage) {
                state.latest = msg.clone();
                if timer.is_some() {
                    state.second = msg.get("payload");
                }
            }
            if timer.is_some() {
                state.timer = timer;
            }
        }
        self.cx.report().done(&msg);
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        self.show_nothing();
        Box::pin(std::future::ready(()))
    }
}

impl Trigger {
    fn show_nothing(&self) {
        let held = std::mem::take(&mut *self.topics.borrow_mut());
        let _abandoned = flotilla_engine::message::Abandoning::begin();
        drop(held);
        self.show();
    }
}
