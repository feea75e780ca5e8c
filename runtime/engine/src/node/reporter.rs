//! What a node reports: errors, logs, statuses, that it is through with a message, that it does not work.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::clock::now_ms;
use crate::health::NodeProblem;
use crate::message::{Failure, Msg};
use crate::observe::{Level, LogEntry, NodeView};
use crate::replica::Shared;
use flotilla_value::{Object, Value};

use super::host::{Caught, Host};
use super::identity::Identity;

/// How a node reports. Cheap to clone; stays on its worker.
#[derive(Clone)]
pub struct Reporter(Rc<Inner>);

struct Inner {
    node: Rc<Identity>,
    host: Rc<dyn Host>,
    view: Arc<NodeView>,
    /// It is being made or started: an error without a message is a reason why it does not work.
    starting: Cell<bool>,
    trouble: RefCell<Option<String>>,
}

impl Reporter {
    pub(super) fn new(node: &Rc<Identity>, host: &Rc<dyn Host>, view: &Arc<NodeView>) -> Reporter {
        let (node, host, view) = (node.clone(), host.clone(), view.clone());
        Reporter(Rc::new(Inner { node, host, view, starting: Cell::new(true), trouble: RefCell::default() }))
    }

    fn shared(&self) -> &Arc<Shared> {
        self.0.host.shared()
    }

    /// The node is through with a message: complete nodes hear of it.
    pub fn done(&self, msg: &Msg) {
        self.0.host.complete(&self.0.node, msg);
    }

    /// True when a complete node waits for this node: else nobody looks at the message that [`Reporter::done`] gets.
    pub fn has_complete(&self) -> bool {
        self.0.host.has_complete(&self.0.node)
    }

    /// Reports an error. With a message it goes to catch nodes; when none takes it, it is logged and fails the delivery.
    /// Without a message it is only logged.
    pub fn error(&self, error: impl Into<Value>, msg: Option<&Msg>) {
        let error = error.into();
        self.0.view.errs();
        if self.0.starting.get() && msg.is_none() {
            self.broken(error.to_text().to_string());
        }
        self.observe_call("error", || std::iter::once(error.clone()).chain(msg.map(Msg::value)).collect());
        match msg.map_or(Caught::No, |msg| self.0.host.catch(&self.0.node, &error, msg)) {
            Caught::Yes => return,
            Caught::No => {}
            Caught::Loops => self.warn(self.shared().text("nodes.flow.error-loop", &[])),
        }
        self.log_at(Level::Error, error.clone());
        if let Some((msg, delivery)) = msg.and_then(|msg| Some((msg, msg.delivery()?))) {
            let message = msg.value();
            delivery.record_failing(self.0.node.id(), &message);
            delivery.fail(Failure { node: self.0.node.id().clone(), error, message });
        }
    }

    /// Logs a warning.
    pub fn warn(&self, text: impl Into<Value>) {
        self.observed_log(Level::Warn, "warn", text.into());
    }

    /// Logs for the operator.
    pub fn log(&self, text: impl Into<Value>) {
        self.observed_log(Level::Info, "log", text.into());
    }

    /// Logs for the developer.
    pub fn debug(&self, text: impl Into<Value>) {
        self.observed_log(Level::Debug, "debug", text.into());
    }

    /// Logs everything.
    pub fn trace(&self, text: impl Into<Value>) {
        self.observed_log(Level::Trace, "trace", text.into());
    }

    /// Writes a log line without the node's own call being observed.
    pub(crate) fn log_at(&self, level: Level, msg: Value) {
        let node = &self.0.node;
        self.shared().observer().log(&LogEntry {
            level,
            id: node.id().clone(),
            kind: node.kind().clone(),
            name: node.name().clone(),
            z: node.z(),
            path: node.flow_path(),
            tab: self.0.view.tab_label.clone(),
            msg,
            timestamp: now_ms(),
        });
    }

    /// Shows a status: `{fill, shape, text}`, or an empty object to clear it. Texts, numbers and bools become `{text}`.
    pub fn status(&self, status: impl Into<Value>) {
        let status = with_text(status.into());
        self.observe_call("status", || vec![status.clone()]);
        let status = match status {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                Value::from([("text", Value::String(status.to_text()))].into_iter().collect::<Object>())
            }
            Value::Object(_) => status,
            _ => Value::object(),
        };
        self.0.view.shows(&status);
        self.shared().observer().status(self.0.node.id(), &status);
        self.0.host.status(&self.0.node, &status);
    }

    /// Shows a status of these three parts.
    pub fn show(&self, fill: &str, shape: &str, text: impl Into<Value>) {
        let parts = [("fill", Value::from(fill)), ("shape", Value::from(shape)), ("text", text.into())];
        self.status(parts.into_iter().collect::<Object>());
    }

    /// Reports that this node does not work, and why: `status`, metrics and rollouts see it, until it is closed or reports
    /// [`Reporter::works`].
    pub fn broken(&self, why: impl Into<String>) {
        let (message, node) = (why.into(), &self.0.node);
        *self.0.trouble.borrow_mut() = Some(message.clone());
        self.shared().health().problem(NodeProblem {
            id: node.id().to_string(),
            kind: node.kind().to_string(),
            name: node.name().to_string(),
            tab: node.scope().tab_name(),
            message,
        });
    }

    /// Takes back what [`Reporter::broken`] reported.
    pub fn works(&self) {
        if self.0.trouble.borrow_mut().take().is_some() {
            self.shared().health().solved(self.0.node.id());
        }
    }

    /// A message reached this node, which could not start: that is an error of the node. Node-RED has such a node swallow
    /// its messages, and so it is where its own specs run.
    pub fn refuse(&self, msg: &Msg) {
        if self.shared().settings().catalogue_keys {
            return;
        }
        let why = self.0.trouble.borrow().clone().unwrap_or_default();
        self.error(format!("this {} node could not start: {why}", self.0.node.kind()), Some(msg));
    }

    /// The node was made and started.
    pub(crate) fn has_started(&self) {
        self.0.starting.set(false);
    }

    /// Tells observers of the node's own call, if they want to know.
    fn observe_call(&self, method: &'static str, args: impl FnOnce() -> Vec<Value>) {
        let observer = self.shared().observer();
        if observer.wants_calls() {
            observer.call(self.0.node.id(), method, &args());
        }
    }

    fn observed_log(&self, level: Level, method: &'static str, msg: Value) {
        self.observe_call(method, || vec![msg.clone()]);
        self.log_at(level, msg);
    }
}

/// A status's text is a string, whatever a function put there; Node-RED converts it in place.
fn with_text(mut status: Value) -> Value {
    let text = status.get("text");
    if !text.is_nullish()
        && text.as_str().is_none()
        && let Some(object) = status.as_object_mut()
    {
        object.insert("text", text.to_text());
    }
    status
}
