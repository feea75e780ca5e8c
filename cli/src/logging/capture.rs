//! A line of an event.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use flotilla_api::log::{LogLevel, LogLine};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::lines::DEBUG_NODES;
use super::who::{Who, who};

/// A text is cut after this many bytes.
const LONGEST: usize = 16 << 10;

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

/// The line of an event, without a position.
pub(super) fn line(event: &Event<'_>) -> LogLine {
    let mut fields = Fields::default();
    event.record(&mut fields);
    let Who { group, replica, revision } = who();
    let mut line = LogLine {
        time_ms: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
        group,
        replica,
        revision,
        level: level(*event.metadata().level()),
        message: fields.message,
        ..LogLine::default()
    };
    let mut others = fields.others;
    // Lines about nodes that the runtime writes name the node only.
    let mut take = |name: &str| match others.shift_remove(name) {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    };
    if matches!(event.metadata().target(), "flow" | DEBUG_NODES) {
        line.node = take("node");
        line.node_name = take("name");
        line.node_type = take("kind");
        line.tab = take("tab_id");
        line.tab_label = take("tab");
    }
    line.fields = others;
    if line.node.is_empty() {
        line.node = line.fields.get("node").and_then(Value::as_str).unwrap_or_default().to_owned();
    }
    line
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        let whole = text.len();
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text += &format!("... ({whole} bytes in all)");
    }
    text
}

impl Fields {
    fn set(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = cut(text),
            (name, Value::String(text)) => drop(self.others.insert(name.to_owned(), Value::from(cut(text)))),
            (name, value) => drop(self.others.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, Value::from(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, Value::from(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, Value::from(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, Value::from(value));
    }
}
