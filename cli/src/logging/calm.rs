//! A failure that repeats is one line, and then a count.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The same line comes again after this, with how often it would have come since.
const WINDOW: Duration = Duration::from_secs(60);
/// Lines that are remembered.
const MOST: usize = 512;
/// What flows write themselves comes every time, as in Node-RED.
const OF_FLOWS: &str = "flotilla_engine::observe";

/// Writes events as another format does, but warnings and errors of ours that repeat only once a window.
pub(super) struct Calm<F> {
    format: F,
    /// How the count is written into a line that the format wrote.
    count: fn(&mut String, u64),
    seen: Mutex<HashMap<u64, Seen>>,
}

struct Seen {
    since: Instant,
    left_out: u64,
}

impl<F> Calm<F> {
    /// For lines of text.
    pub(super) fn text(format: F) -> Calm<F> {
        let count = |line: &mut String, times| {
            line.truncate(line.trim_end().len());
            line.push_str(&format!(" ({times} more times since the last such line)\n"));
        };
        Calm { format, count, seen: Mutex::default() }
    }

    /// For lines of JSON.
    pub(super) fn json(format: F) -> Calm<F> {
        let count = |line: &mut String, times| {
            line.truncate(line.trim_end().trim_end_matches('}').len());
            line.push_str(&format!(",\"repeated\":{times}}}\n"));
        };
        Calm { format, count, seen: Mutex::default() }
    }

    /// How often a line was left out before this one; `None` when this one is left out, too.
    fn admit(&self, key: u64, now: Instant) -> Option<u64> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, seen| now.duration_since(seen.since) < WINDOW);
            if seen.len() >= MOST {
                seen.clear();
            }
        }
        match seen.get_mut(&key) {
            Some(seen) if now.duration_since(seen.since) < WINDOW => {
                seen.left_out += 1;
                None
            }
            _ => Some(seen.insert(key, Seen { since: now, left_out: 0 }).map_or(0, |seen| seen.left_out)),
        }
    }
}

impl<S, N, F> FormatEvent<S, N> for Calm<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(&self, cx: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let about = event.metadata();
        if *about.level() > Level::WARN || about.target().starts_with(OF_FLOWS) {
            return self.format.format_event(cx, to, event);
        }
        let mut fields = String::new();
        cx.format_fields(Writer::new(&mut fields), event)?;
        let mut hasher = DefaultHasher::new();
        (about.callsite(), &fields).hash(&mut hasher);
        match self.admit(hasher.finish(), Instant::now()) {
            None => Ok(()),
            Some(0) => self.format.format_event(cx, to, event),
            Some(times) => {
                let mut line = String::new();
                self.format.format_event(cx, Writer::new(&mut line), event)?;
                (self.count)(&mut line, times);
                to.write_str(&line)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_line_comes_once_a_window_with_a_count() {
        let (calm, now) = (Calm::text(()), Instant::now());
        assert_eq!(calm.admit(1, now), Some(0));
        assert_eq!([calm.admit(1, now), calm.admit(1, now), calm.admit(2, now)], [None, None, Some(0)]);
        assert_eq!(calm.admit(1, now + WINDOW), Some(2));
        assert_eq!(calm.admit(1, now + WINDOW * 2), Some(0));
        let mut line = "{\"message\":\"m\"}\n".to_owned();
        (Calm::json(()).count)(&mut line, 2);
        assert_eq!(line, "{\"message\":\"m\",\"repeated\":2}\n");
    }
}
