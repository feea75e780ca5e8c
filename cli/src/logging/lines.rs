//! Lines: written out, and kept for those who collect them.

use std::io::Write as _;
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use flotilla_api::log::LogLine;
use flotilla_engine::observe::Ring;
use jiff::Timestamp;
use serde::Serialize;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::calm::Calm;
use super::capture;
use super::init::LogFormat;
use super::text::text;

/// Lines that are kept for a gateway that is away.
const KEPT: usize = 20_000;
/// Their bytes.
const KEPT_BYTES: usize = 8 << 20;
/// The types of nodes whose lines are what the author of the flow has them write. What others log is what happened to them.
const WRITERS: [&str; 2] = ["function", "debug"];
/// The target of what debug nodes show: it is printed, and is no log line.
pub const DEBUG_NODES: &str = "debug_node";

static KEPT_LINES: LazyLock<Ring<Arc<str>>> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
    // Positions of a later process with the same id are greater: no process writes a line each microsecond.
    Ring::new(now, KEPT, KEPT_BYTES)
});

/// The newest log lines of this process as JSON of [`LogLine`], by position.
pub fn kept() -> &'static Ring<Arc<str>> {
    &KEPT_LINES
}

/// Takes events as lines.
pub(super) struct Lines {
    pub(super) format: LogFormat,
    pub(super) colours: bool,
    pub(super) calm: Calm,
}

/// A line on standard error for machines.
#[derive(Serialize)]
struct Stamped<'a> {
    timestamp: String,
    #[serde(flatten)]
    line: &'a LogLine,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        let line = capture::line(event);
        let is_of_author = target == DEBUG_NODES || (target == "flow" && WRITERS.contains(&line.node_type.as_str()));
        let Some(mut line) = self.calm.admit(line, is_of_author) else { return };
        if target != DEBUG_NODES {
            kept().push(|position| {
                line.position = position;
                let json: Arc<str> = serde_json::to_string(&line).unwrap_or_default().into();
                let bytes = json.len();
                (json, bytes)
            });
        }
        let written = match self.format {
            LogFormat::Text => text(&line, self.colours),
            LogFormat::Json => json(&line),
        };
        write(&written);
    }
}

/// A line as JSON, with its line end.
pub fn json(line: &LogLine) -> String {
    let time = i64::try_from(line.time_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let timestamp = time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).unwrap_or_default();
    serde_json::to_string(&Stamped { timestamp, line }).unwrap_or_default() + "\n"
}

/// Writes whole lines to standard error. Whoever read it may be gone: that ends no process.
pub fn write(lines: &str) {
    let _ = std::io::stderr().lock().write_all(lines.as_bytes());
}
