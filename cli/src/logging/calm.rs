//! A failure that repeats is one line, and then a count.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use flotilla_api::log::{LogLevel, LogLine};

/// The same line comes again after the first of these, with how often it would have come since; as long as it goes on, after the
/// next.
const WINDOWS: [Duration; 4] =
    [Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(900), Duration::from_secs(3600)];
/// What has not come for so long is over; longer than a minute, as what runs every minute is never quite on time.
const OVER: Duration = Duration::from_secs(120);
/// Lines that are remembered.
const MOST: usize = 512;

/// Lets warnings and errors of ours and of nodes that repeat through only once a window. What the author of a flow has it write
/// comes every time, as in Node-RED.
#[derive(Default)]
pub(super) struct Calm(Mutex<HashMap<u64, Repeats>>);

struct Repeats {
    since: Instant,
    /// When it came last, shown or not.
    last: Instant,
    left_out: u64,
    /// Which of the windows it is in.
    window: usize,
}

impl Repeats {
    fn goes_on(&self, now: Instant) -> bool {
        now.duration_since(self.last) < OVER
    }

    fn is_open(&self, now: Instant) -> bool {
        self.goes_on(now) && now.duration_since(self.since) < WINDOWS[self.window]
    }
}

impl Calm {
    /// The line, with how often it was left out before; `None` when it is left out now.
    pub(super) fn admit(&self, mut line: LogLine, is_of_author: bool) -> Option<LogLine> {
        if line.level > LogLevel::Warn || is_of_author {
            return Some(line);
        }
        let mut hasher = DefaultHasher::new();
        (&line.node, &line.message, line.fields_text()).hash(&mut hasher);
        line.repeated = self.left_out(hasher.finish(), Instant::now())?;
        Some(line)
    }

    /// How often a line was left out before this one; `None` when this one is left out, too.
    fn left_out(&self, key: u64, now: Instant) -> Option<u64> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, seen| seen.is_open(now));
            if seen.len() >= MOST {
                seen.clear();
            }
        }
        match seen.get_mut(&key) {
            Some(seen) if seen.is_open(now) => {
                seen.left_out += 1;
                seen.last = now;
                None
            }
            before => {
                let left_out = before.as_ref().map_or(0, |before| before.left_out);
                // One that did not come in its window, or not for long, has not gone on.
                let goes_on = before.filter(|before| left_out > 0 && before.goes_on(now));
                let window = goes_on.map_or(0, |before| before.window + 1).min(WINDOWS.len() - 1);
                seen.insert(key, Repeats { since: now, last: now, left_out: 0, window });
                Some(left_out)
            }
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
        let after = |minutes: u64| now + Duration::from_secs(minutes * 60);
        assert_eq!(calm.left_out(1, after(1)), Some(2));
        assert_eq!(calm.left_out(1, after(7)), Some(0));
    }

    #[test]
    fn what_goes_on_comes_at_growing_intervals() {
        let (calm, now) = (Calm::default(), Instant::now());
        let shown: Vec<u64> = (0..12_000)
            .step_by(10)
            .filter(|seconds| calm.left_out(1, now + Duration::from_secs(*seconds)).is_some())
            .collect();
        assert_eq!(shown, [0, 60, 360, 1260, 4860, 8460]);
    }

    #[test]
    fn what_was_over_and_comes_again_is_shown_at_once() {
        let (calm, now) = (Calm::default(), Instant::now());
        let left_out = |seconds: u64| calm.left_out(1, now + Duration::from_secs(seconds));
        let shown: Vec<u64> = (0..1800).step_by(10).filter(|seconds| left_out(*seconds).is_some()).collect();
        assert_eq!(shown, [0, 60, 360, 1260]);
        assert_eq!(left_out(2400), Some(53));
        // It begins with the shortest window again.
        assert_eq!([left_out(2410), left_out(2460)], [None, Some(1)]);
    }

    #[test]
    fn what_goes_on_about_every_minute_comes_at_growing_intervals() {
        let (calm, now) = (Calm::default(), Instant::now());
        let mut shown = Vec::new();
        for minute in 0..32 {
            // Each second one is a second early.
            let seconds = minute * 60 - minute % 2;
            if calm.left_out(1, now + Duration::from_secs(seconds)).is_some() {
                shown.push(minute);
            }
        }
        assert_eq!(shown, [0, 2, 8, 24]);
    }

    #[test]
    fn what_the_author_of_a_flow_writes_comes_every_time_and_what_nodes_report_does_not() {
        let line = |node: &str| LogLine {
            level: LogLevel::Error,
            message: "m".to_owned(),
            node: node.to_owned(),
            ..LogLine::default()
        };
        let calm = Calm::default();
        let admitted = |node, of_author| (0..3).filter(|_| calm.admit(line(node), of_author).is_some()).count();
        assert_eq!((admitted("n", true), admitted("n", false), admitted("other", false)), (3, 1, 1));
    }
}
