//! What happened in a test.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use flotilla_engine::message::Msg;
use flotilla_engine::observe::{Level, LogEntry, Observer};
use flotilla_value::{Str, Value};

/// More than this is taken to be a flow that goes round in a loop: memory stays bounded.
const MOST: usize = 100_000;
/// So many log lines are enough to see what went wrong.
const MOST_LOG_LINES: usize = 50;

/// What happened, in order.
#[derive(Default)]
pub(super) struct Events {
    /// Node and message: only the value is kept, so that no delivery is held open.
    pub(super) arrivals: Vec<(Str, Value)>,
    /// Node and text of every error that a node reported, caught or not.
    pub(super) errors: Vec<(Str, Value)>,
    /// Node, name of the node and text of every error that was logged: nobody caught it.
    pub(super) uncaught: Vec<(Str, Str, Value)>,
    /// Node and status.
    pub(super) statuses: Vec<(Str, Value)>,
    /// The answers to requests, by the request's number: `{status, headers, body}`, or why there was none.
    pub(super) responses: HashMap<usize, Result<Value, String>>,
    /// Warnings and errors for people.
    pub(super) log: Vec<String>,
    /// There was more than is kept.
    pub(super) overflow: bool,
}

/// Gathers events while a test runs.
#[derive(Default)]
pub(super) struct Record {
    pub(super) events: Mutex<Events>,
    pub(super) changed: Notify,
}

/// The engine's way to the record.
pub(super) struct Recorder(pub(super) Arc<Record>);

impl Record {
    /// A request was answered, or will not be.
    pub(super) fn answered(&self, number: usize, response: Result<Value, String>) {
        self.add(|events| drop(events.responses.insert(number, response)));
    }

    fn add(&self, what: impl FnOnce(&mut Events)) {
        let mut events = self.events.lock();
        let kept = events.arrivals.len() + events.errors.len() + events.uncaught.len() + events.statuses.len();
        if kept < MOST {
            what(&mut events);
        } else {
            events.overflow = true;
        }
        drop(events);
        self.changed.notify_one();
    }
}

impl Observer for Recorder {
    fn log(&self, entry: &LogEntry) {
        if entry.level > Level::Warn {
            return;
        }
        self.0.add(|events| {
            let level = if entry.level == Level::Warn { "warn" } else { "error" };
            let who = if entry.name.is_empty() { &entry.id } else { &entry.name };
            if events.log.len() < MOST_LOG_LINES {
                events.log.push(format!("{level}: {} \"{who}\": {}", entry.kind, entry.msg.to_text()));
            }
            if entry.level < Level::Warn {
                let name = Str::from(format!("{} \"{who}\"", entry.kind));
                events.uncaught.push((entry.id.clone(), name, entry.msg.clone()));
            }
        });
    }

    fn status(&self, node: &str, status: &Value) {
        self.0.add(|events| events.statuses.push((Str::new(node), status.clone())));
    }

    fn input(&self, node: &str, msg: &Msg) {
        self.0.add(|events| events.arrivals.push((Str::new(node), msg.value())));
    }

    fn call(&self, node: &str, method: &'static str, args: &[Value]) {
        if method == "error" {
            let error = args.first().cloned().unwrap_or_default();
            self.0.add(|events| events.errors.push((Str::new(node), error)));
        }
    }

    fn wants_calls(&self) -> bool {
        true
    }

    fn wants_inputs(&self) -> bool {
        true
    }
}
