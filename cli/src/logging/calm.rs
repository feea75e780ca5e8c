//! A failure that repeats is one line, and then a count.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use flotilla_api::log::{LogLevel, LogLine};

/// The same line comes again after this, with how often it would have come since.
const WINDOW: Duration = Duration::from_secs(60);
/// Lines that are remembered.
const MOST: usize = 512;

/// Lets warnings and errors of ours that repeat through only once a window. What flows write themselves comes every time, as
/// in Node-RED.
#[derive(Default)]
pub(super) struct Calm(Mutex<HashMap<u64, Repeats>>);

struct Repeats {
    since: Instant,
    left_out: u64,
}

impl Calm {
    /// The line, with how often it was left out before; `None` when it is left out now.
    pub(super) fn admit(&self, mut line: LogLine, is_of_flow: bool) -> Option<LogLine> {
        if line.level > LogLevel::Warn || is_of_flow {
            return Some(line);
        }
        let mut hasher = DefaultHasher::new();
        (&line.message, line.fields_text()).hash(&mut hasher);
        line.repeated = self.left_out(hasher.finish(), Instant::now())?;
        Some(line)
    }

    /// How often a line was left out before this one; `None` when this one is left out, too.
    fn left_out(&self, key: u64, now: Instant) -> Option<u64> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
            _ => Some(seen.insert(key, Repeats { since: now, left_out: 0 }).map_or(0, |seen| seen.left_out)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_line_comes_once_a_window_with_a_count() {
        let (calm, now) = (Calm::default(), Instant::now());
        assert_eq!(calm.left_out(1, now), Some(0));
        assert_eq!([calm.left_out(1, now), calm.left_out(1, now), calm.left_out(2, now)], [None, None, Some(0)]);
        assert_eq!(calm.left_out(1, now + WINDOW), Some(2));
        assert_eq!(calm.left_out(1, now + WINDOW * 2), Some(0));
    }

    #[test]
    fn what_flows_write_comes_every_time() {
        let line = || LogLine { level: LogLevel::Error, message: "m".to_owned(), ..LogLine::default() };
        let calm = Calm::default();
        let admitted = |is_of_flow| (0..3).filter(|_| calm.admit(line(), is_of_flow).is_some()).count();
        assert_eq!((admitted(true), admitted(false)), (3, 1));
    }
}
