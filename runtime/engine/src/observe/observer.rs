//! Who hears of logs, statuses and debug messages.

use crate::message::Msg;
use flotilla_value::Value;

use super::log::{Level, LogEntry};
use super::node_view::NodeView;

/// Hears what nodes report. Called on worker threads: it must not block.
pub trait Observer: Send + Sync {
    /// A log line.
    fn log(&self, entry: &LogEntry);
    /// A node's status changed: `{fill, shape, text}` or empty.
    fn status(&self, _node: &str, _status: &Value) {}
    /// Whether a debug node may show one more message now: spares making it otherwise.
    fn admits_debug(&self) -> bool {
        true
    }
    /// A debug node's sidebar message: `{id, z, path, name, topic, property, msg, format}`.
    fn debug(&self, _node: &NodeView, _message: &Value) {}
    /// A node that was tapped is about to handle a message.
    fn input(&self, _node: &str, _msg: &Msg) {}
    /// True when [`Observer::input`] is wanted of every node, from its first message on.
    fn wants_inputs(&self) -> bool {
        false
    }
    /// A node called one of its own report methods: `log`, `warn`, `error`, `debug`, `trace`, `status`.
    fn call(&self, _node: &str, _method: &'static str, _args: &[Value]) {}
    /// True when [`Observer::call`] is wanted; spares the arguments otherwise.
    fn wants_calls(&self) -> bool {
        false
    }
}

/// Writes log lines as `tracing` events of the target `flow`, with the fields `node`, `kind`, `name`, `tab` (its name) and
/// `tab_id`.
#[derive(Default)]
pub struct TracingObserver;

impl Observer for TracingObserver {
    fn log(&self, entry: &LogEntry) {
        let text = match &entry.msg {
            value @ (Value::Object(_) | Value::Array(_)) => {
                flotilla_value::stringify(value).ok().flatten().unwrap_or_else(|| value.to_text().to_string())
            }
            value => value.to_text().to_string(),
        };
        let (node, kind, name) = (entry.id.as_str(), entry.kind.as_str(), entry.name.as_str());
        let (tab, path) = (entry.tab.as_str(), entry.path.as_str());
        let tab_id = path.split('/').next().filter(|id| *id != "global").unwrap_or_default();
        // A level is part of what an event is, so there is one of each.
        macro_rules! event {
            ($level:ident) => {
                tracing::event!(
                    target: "flow",
                    tracing::Level::$level,
                    node,
                    kind,
                    name,
                    tab,
                    tab_id,
                    "{text}"
                )
            };
        }
        match entry.level {
            Level::Fatal | Level::Error => event!(ERROR),
            Level::Warn => event!(WARN),
            Level::Info => event!(INFO),
            Level::Debug => event!(DEBUG),
            Level::Trace => event!(TRACE),
        }
    }
}
