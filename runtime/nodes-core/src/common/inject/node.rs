//! The inject node.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use flotilla_engine::expression::{ExpressionError, Typed};
use flotilla_engine::message::{Msg, Outcome};
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Shared, Stateless};
use flotilla_value::{Path, Value, from_json};

use super::clock::{Clock, LONGEST_SECONDS, time_zone};
use super::timer::{self, Fire, OnEnd, Spread};

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("inject", build);

/// A property of the message that is sent.
struct Property {
    name: String,
    jsonata: bool,
    /// Empty expressions set nothing; a malformed one is reported with each message.
    value: Option<Result<Typed, ExpressionError>>,
}

struct Inject {
    cx: NodeCx,
    me: std::rc::Weak<Inject>,
    properties: Vec<Property>,
    once: Option<f64>,
    clock: RefCell<Option<Clock>>,
    /// The payload of the message that is being sent, in place of the configured one.
    payload: RefCell<Option<Value>>,
}

fn property(rule: &Value, payload: &Value, kind: &Value, topic: &Value) -> Property {
    let name = rule.get("p").to_text().to_string();
    let (mut value, mut value_kind) = (rule.get("v"), rule.get("vt"));
    let has_value = rule.as_object().is_some_and(|object| object.contains_key("v"));
    if name == "payload" && !has_value {
        (value, value_kind) = (payload.clone(), kind.clone());
    } else if name == "topic" && value_kind.as_str() == Some("str") && !has_value {
        value = topic.clone();
    }
    let value_kind = if value_kind.is_undefined() { "str".into() } else { value_kind.to_text() };
    let jsonata = value_kind == "jsonata";
    let value = if value.is_undefined() { Value::from("") } else { value };
    let skip = jsonata && !value.truthy();
    Property { name, jsonata, value: (!skip).then(|| Typed::prepare(&value_kind, &value)) }
}

fn properties(rules: &[Value], config: &flotilla_flows::NodeConfig) -> Vec<Property> {
    let field = |name: &str| props::value(config, name);
    rules.iter().map(|rule| property(rule, &field("payload"), &field("payloadType"), &field("topic"))).collect()
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let rules = match config.get("props").map(from_json) {
        Some(Value::Array(rules)) => rules.to_vec(),
        _ => ["payload", "topic"]
            .into_iter()
            .map(|name| {
                let kind = if name == "topic" { "str".into() } else { props::value(config, "payloadType") };
                let rule = [("p", Value::from(name)), ("v", props::value(config, name)), ("vt", kind)];
                Value::from(rule.into_iter().collect::<flotilla_value::Object>())
            })
            .collect(),
    };
    let properties = properties(&rules, config);
    for property in &properties {
        if let Some(Err(error)) = &property.value {
            cx.report().error(cx.text("inject.errors.invalid-expr", &[("error", &error.message)]), None);
        }
    }
    let delay = config.num("onceDelay").filter(|seconds| *seconds != 0.0).unwrap_or(0.1);
    let once = config.bool("once").then_some(delay * 1000.0);
    let clock = clock(&cx);
    Ok(Rc::new_cyclic(|me| Inject {
        me: me.clone(),
        properties,
        once,
        clock: RefCell::new(clock),
        payload: RefCell::default(),
        cx,
    }))
}

fn clock(cx: &NodeCx) -> Option<Clock> {
    let config = cx.config();
    let repeat = config.num("repeat").filter(|seconds| *seconds > 0.0);
    if let Some(seconds) = repeat.filter(|seconds| *seconds <= LONGEST_SECONDS) {
        cx.report().debug(cx.text("inject.repeat", &[("repeat", &(seconds * 1000.0).to_string())]));
        return Some(Clock::every(seconds));
    }
    if repeat.is_some() {
        cx.report().error(cx.text("inject.errors.toolong", &[]), None);
    }
    let crontab = config.opt_str("crontab")?;
    let env = cx.env("TZ");
    let own = config.get("ha").and_then(|ha| ha.get("timezone")?.as_str());
    let zone = match time_zone(own, env.as_ref().and_then(Value::as_str)) {
        Ok(zone) => zone,
        Err(error) => {
            cx.report().error(format!("ha.timezone \"{}\": {error}", own.unwrap_or_default()), None);
            return None;
        }
    };
    match crontab.parse() {
        Ok(cron) => {
            cx.report().debug(cx.text("inject.crontab", &[("crontab", crontab)]));
            Some(Clock::Cron(Box::new(cron), zone))
        }
        Err(error) => {
            let text = cx.text("inject.errors.invalid-crontab", &[("crontab", crontab), ("error", &error.to_string())]);
            cx.report().error(text, None);
            None
        }
    }
}

/// Names a start of this node: with other properties it starts anew.
fn start_of(cx: &NodeCx) -> String {
    let mut hasher = DefaultHasher::new();
    for (name, value) in cx.config().props.iter() {
        if !matches!(name.as_str(), "x" | "y" | "wires") {
            (name, value.to_string()).hash(&mut hasher);
        }
    }
    format!("{}/{:016x}", cx.id(), hasher.finish())
}

impl Inject {
    /// Starts a flow: everything that comes of it is one delivery.
    fn fire(&self, msg: Msg, on_end: OnEnd) {
        let delivery = self.cx.work().begin(on_end);
        self.cx.receive(msg.in_delivery(Some(delivery)));
    }

    fn apply(properties: &[Property], cx: &NodeCx, msg: &mut Msg) -> Vec<String> {
        let mut errors = Vec::new();
        for property in properties.iter().filter(|property| !property.name.is_empty()) {
            let value = match &property.value {
                None => continue,
                Some(Err(error)) => Err(error.clone()),
                Some(Ok(typed)) => typed.evaluate(cx, &msg.value()),
            };
            let set = value.map_err(|error| match property.jsonata {
                true => cx.text("inject.errors.invalid-expr", &[("error", &error.message)]),
                false => error.to_text(),
            });
            let set = set.and_then(|value| {
                let path = Path::message(&property.name).map_err(|error| format!("Error: {error}"))?;
                msg.set_path(&path, value, true).map_err(|error| format!("Error: {error}"))
            });
            errors.extend(set.err());
        }
        errors
    }
}

impl Node for Inject {
    fn receive(&self, mut msg: Msg) {
        let errors = match msg.remove("__user_inject_props__") {
            Some(Value::Array(rules)) => Self::apply(&properties(&rules, self.cx.config()), &self.cx, &mut msg),
            _ => Self::apply(&self.properties, &self.cx, &mut msg),
        };
        if let Some(payload) = self.payload.borrow_mut().take() {
            msg.set("payload", payload);
        }
        if errors.is_empty() {
            self.cx.out().send(msg.clone());
            self.cx.report().done(&msg);
        } else {
            self.cx.report().error(errors.join("; "), Some(&msg));
        }
    }

    fn start(&self) {
        let (cx, me, once) = (self.cx.clone(), self.me.clone(), self.once);
        let clock = self.clock.borrow_mut().take();
        let spread = Spread::of(&cx);
        let start = start_of(&cx);
        let fire: Fire = Rc::new(move |on_end| match me.upgrade() {
            // What falls due while the group is paused does not fire later either.
            Some(inject) if inject.cx.shared().is_paused() => on_end(Outcome::Completed),
            Some(inject) => inject.fire(Msg::default(), on_end),
            None => on_end(Outcome::Abandoned),
        });
        self.cx.work().spawn(async move {
            if let Some(delay) = once {
                timer::once(&cx, spread, &start, delay, &fire).await;
            }
            if let Some(clock) = clock {
                timer::repeat(&cx, spread, clock, &fire).await;
            }
        });
    }
}

/// The editor's button: injects now, with the properties of `body` if it has any. False when there is no such node.
pub async fn inject_now(shared: &Arc<Shared>, id: &str, body: Option<&Value>) -> bool {
    let Some(worker) = shared.worker_of(id) else { return false };
    let custom = body.filter(|body| body.get("__user_inject_props__").truthy()).cloned();
    let id = id.to_owned();
    let done = worker.call(move |worker| {
        let node = worker.slot(&id).and_then(|slot| slot.node());
        let found = node.map(|node| {
            let node: Rc<dyn std::any::Any> = node;
            node.downcast::<Inject>().map(|inject| {
                inject.fire(custom.map_or_else(Msg::default, |body| Msg::from_value(body, None)), Box::new(drop));
            })
        });
        Box::pin(std::future::ready(matches!(found, Some(Ok(())))))
    });
    done.await.unwrap_or(false)
}

/// Presses the button of an inject node; `payload` takes the place of the configured one. False when there is no such node.
pub async fn press(shared: &Arc<Shared>, id: &str, payload: Option<Value>) -> bool {
    let Some(worker) = shared.worker_of(id) else { return false };
    let id = id.to_owned();
    let done = worker.call(move |worker| {
        let node = worker.slot(&id).and_then(|slot| slot.node());
        let found = node.map(|node| {
            let node: Rc<dyn std::any::Any> = node;
            node.downcast::<Inject>().map(|inject| {
                // What is fired comes back to this node at once, before anything else does.
                *inject.payload.borrow_mut() = payload;
                inject.fire(Msg::default(), Box::new(drop));
            })
        });
        Box::pin(std::future::ready(matches!(found, Some(Ok(())))))
    });
    done.await.unwrap_or(false)
}
