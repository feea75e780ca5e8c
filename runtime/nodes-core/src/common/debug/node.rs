//! The debug node.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_tasks::Task;
use futures::future::LocalBoxFuture;

use flotilla_engine::expression::{ExpressionError, Typed};
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Shared, Stateless};
use flotilla_value::{Object, Value, stringify};

use super::encode::encode;
use super::inspect::inspect;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("debug", build);

/// A counter that changes faster than this shows its last value later.
const COUNTER_PAUSE: Duration = Duration::from_millis(100);
const COUNTER_DELAY: Duration = Duration::from_millis(200);

/// What the status shows.
enum StatusOf {
    /// The same as the sidebar; errors and statuses in the message in their colours.
    Auto,
    Counter,
    Value(Result<Typed, ExpressionError>),
}

struct Debug {
    cx: NodeCx,
    me: Weak<Debug>,
    /// `true` for the whole message, else a property.
    complete: String,
    value: Result<Typed, ExpressionError>,
    console: bool,
    sidebar: bool,
    active: Cell<bool>,
    status: Option<StatusOf>,
    shown: RefCell<String>,
    counter: Cell<u64>,
    last: Cell<Option<Instant>>,
    pending: RefCell<Option<tokio::task::AbortHandle>>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let complete = match config.string_of("complete").as_str() {
        "" | "false" => "payload".to_owned(),
        other => other.to_owned(),
    };
    let edited = config.str("targetType") == "jsonata";
    let value = Typed::prepare(if edited { "jsonata" } else { "msg" }, &Value::from(complete.as_str()));
    let text = |name: &str, default: &str| props::text(config, name, default);
    let status_value = text("statusVal", &complete);
    let status = match text("statusType", "auto").as_str() {
        "auto" => StatusOf::Auto,
        "counter" => StatusOf::Counter,
        "jsonata" => StatusOf::Value(Typed::prepare("jsonata", &Value::from(status_value))),
        _ => StatusOf::Value(Typed::prepare("msg", &Value::from(status_value))),
    };
    let to_status = config.bool("tostatus");
    if to_status {
        cx.report().status([("fill", "grey"), ("shape", "ring")].into_iter().collect::<Object>());
    }
    if matches!(status, StatusOf::Counter) {
        cx.report().show("blue", "ring", 0.0);
    } else {
        cx.report().show("", "", "");
    }
    let bad = value.is_err() || matches!(status, StatusOf::Value(Err(_)));
    if bad {
        cx.report().error(cx.text("debug.invalid-exp", &[("error", &complete)]), None);
    }
    let active = config.get("active").is_none_or(|active| active.is_null() || config.bool("active"));
    let (console, sidebar) = (config.bool("console"), config.bool_or("tosidebar", true));
    Ok(Rc::new_cyclic(|me| Debug {
        me: me.clone(),
        complete: if edited { String::new() } else { complete },
        value,
        console,
        sidebar,
        active: Cell::new(active),
        status: to_status.then_some(status),
        shown: RefCell::new("{}".to_owned()),
        counter: Cell::new(0),
        last: Cell::new(Some(Instant::now())),
        pending: RefCell::default(),
        cx,
    }))
}

impl Debug {
    fn whole(&self) -> bool {
        self.complete == "true"
    }

    fn value(&self, msg: &Msg) -> Result<Value, String> {
        match &self.value {
            Ok(typed) if typed.is_jsonata() => typed
                .evaluate(&self.cx, &msg.value())
                .map_err(|_| self.cx.text("debug.invalid-exp", &[("error", self.cx.config().str("complete"))])),
            Ok(typed) => Ok(typed.evaluate(&self.cx, &msg.value()).unwrap_or_default()),
            Err(_) if self.complete.is_empty() => {
                Err(self.cx.text("debug.invalid-exp", &[("error", self.cx.config().str("complete"))]))
            }
            Err(_) => Ok(Value::Undefined),
        }
    }

    /// Shows a value in the sidebar, if anybody looks.
    fn publish(&self, msg: &Msg, property: Option<&str>, value: &Value) {
        if !self.cx.shared().observer().admits_debug() {
            return;
        }
        let limit = self.cx.settings().number("debugMaxLength").filter(|limit| *limit > 0.0).unwrap_or(1000.0);
        let (shown, format) = encode(value, limit as usize);
        let mut entry = Object::new();
        entry.insert("id", self.cx.id().clone());
        if !self.cx.z().is_empty() {
            entry.insert("z", self.cx.z());
        }
        if let Some(alias) = self.cx.alias() {
            entry.insert("_alias", alias.clone());
        }
        entry.insert("path", self.cx.flow_path());
        if !self.cx.name().is_empty() {
            entry.insert("name", self.cx.name().clone());
        }
        if let Some(topic) = msg.get_ref("topic") {
            entry.insert("topic", topic.clone());
        }
        if let Some(property) = property {
            entry.insert("property", property);
        }
        entry.insert("msg", shown);
        entry.insert("format", format);
        self.cx.shared().observer().debug(self.cx.view(), &entry.into());
    }

    fn print(&self, value: &Value) {
        let text = match value {
            Value::String(text) if text.contains('\n') => format!("\n{text}"),
            Value::String(text) => text.to_string(),
            value if value.type_of() == "object" => format!("\n{}", inspect(value, 10)),
            value => inspect(value, 2),
        };
        self.cx.report().log(text);
    }

    fn count(&self) {
        let recent = self.last.replace(Some(Instant::now())).is_some_and(|last| last.elapsed() <= COUNTER_PAUSE);
        self.counter.set(self.counter.get() + 1);
        if !recent {
            return self.cx.report().show("blue", "ring", self.counter.get() as f64);
        }
        let me = self.me.clone();
        let task = Task {
            name: "debug counter",
            owner: self.cx.id().clone(),
            ends: "it has shown the count, or another replaces it",
            failure: "the status shows an old count",
        };
        let task = task.spawn_local(async move {
            tokio::time::sleep(COUNTER_DELAY).await;
            if let Some(node) = me.upgrade() {
                node.cx.report().show("blue", "ring", node.counter.get() as f64);
            }
        });
        if let Some(earlier) = self.pending.borrow_mut().replace(task.abort_handle()) {
            earlier.abort();
        }
    }

    fn show_status(&self, status: &StatusOf, msg: &Msg) {
        let output = match status {
            StatusOf::Counter => return self.count(),
            StatusOf::Auto if self.whole() => Ok(msg.get("payload")),
            StatusOf::Auto => self.value(msg),
            StatusOf::Value(Ok(typed)) => match typed.evaluate(&self.cx, &msg.value()) {
                Err(_) if typed.is_jsonata() => {
                    Err(self.cx.text("debug.invalid-exp", &[("error", self.cx.config().str("complete"))]))
                }
                value => Ok(value.unwrap_or_default()),
            },
            StatusOf::Value(Err(_)) => return,
        };
        let output = match output {
            Ok(output) => output,
            Err(text) => return self.cx.report().error(text, None),
        };
        let (mut fill, mut shape) = (Value::from("grey"), Value::from("dot"));
        let mut text = output.as_str().map_or_else(|| inspect(&output, 2), str::to_owned);
        let part = |value: &Value, key: &str| Some(value.get(key)).filter(Value::truthy);
        if let (Some(its_fill), Some(its_shape), Some(its_text)) =
            (part(&output, "fill"), part(&output, "shape"), part(&output, "text"))
        {
            (fill, shape, text) = (its_fill, its_shape, its_text.to_text().to_string());
        }
        if matches!(status, StatusOf::Auto) {
            if let Some(error) = msg.get_ref("error") {
                fill = Value::from("red");
                text = error.get("message").to_text().to_string();
            }
            if let Some(status) = msg.get_ref("status") {
                fill = part(status, "fill").unwrap_or_else(|| "grey".into());
                shape = part(status, "shape").unwrap_or_else(|| "ring".into());
                text = part(status, "text").map(|text| text.to_text().to_string()).unwrap_or_default();
            }
        }
        let limit = self.cx.settings().number("debugStatusLength").filter(|limit| *limit > 0.0).unwrap_or(32.0);
        if let Some((at, _)) = text.char_indices().nth(limit as usize) {
            text = format!("{}...", &text[..at]);
        }
        let parts = [("fill", fill), ("shape", shape), ("text", Value::from(text))];
        let status = Value::from(parts.into_iter().collect::<Object>());
        let print = stringify(&status).ok().flatten().unwrap_or_default();
        if *self.shown.borrow() != print {
            self.cx.report().status(status);
            *self.shown.borrow_mut() = print;
        }
    }
}

impl Node for Debug {
    fn receive(&self, msg: Msg) {
        // Its own status comes back through a status node: showing it would go round for ever.
        let source = msg.get_ref("status").map(|status| status.get("source").get("id"));
        if source.is_some_and(|id| id.as_str() == Some(self.cx.id())) {
            return self.cx.report().done(&msg);
        }
        if let Some(status) = &self.status {
            self.show_status(status, &msg);
        }
        if self.whole() {
            if self.console {
                self.cx.report().log(format!("\n{}", inspect(&msg.value(), 10)));
            }
            if self.active.get() && self.sidebar {
                self.publish(&msg, None, &msg.value());
            }
            return self.cx.report().done(&msg);
        }
        let value = match self.value(&msg) {
            Ok(value) => value,
            Err(text) => return self.cx.report().error(text, None),
        };
        if self.console {
            self.print(&value);
        }
        if self.active.get() && self.sidebar {
            let property = Some(self.complete.as_str()).filter(|property| !property.is_empty());
            self.publish(&msg, property, &value);
        }
        self.cx.report().done(&msg);
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        if let Some(pending) = self.pending.borrow_mut().take() {
            pending.abort();
        }
        if self.status.is_some() {
            self.cx.report().status(Object::new());
        }
        Box::pin(std::future::ready(()))
    }
}

/// Switches a debug node's sidebar output. False when there is no such node.
pub async fn set_debug_active(shared: &Arc<Shared>, id: &str, active: bool) -> bool {
    let Some(worker) = shared.worker_of(id) else { return false };
    let id = id.to_owned();
    let done = worker.call(move |worker| {
        let node = worker.slot(&id).and_then(|slot| slot.node());
        let found = node.map(|node| {
            let node: Rc<dyn std::any::Any> = node;
            node.downcast::<Debug>().map(|debug| debug.active.set(active))
        });
        Box::pin(std::future::ready(matches!(found, Some(Ok(())))))
    });
    done.await.unwrap_or(false)
}
