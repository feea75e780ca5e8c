//! Who was refused what, and how often: each is written down once in a while.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// The same refusal is written down so often.
const EVERY: Duration = Duration::from_secs(60);
/// So many different ones are told apart; those beyond are not written down until others are old.
const MOST: usize = 1_000;

/// Refusals of the last minute.
#[derive(Default)]
pub(super) struct Refusals {
    seen: Mutex<HashMap<String, LastEntry>>,
}

struct LastEntry {
    written: Instant,
    since: u64,
}

impl Refusals {
    /// How many there were since the last that was written down, with this one; `None`: it is not to be written down.
    pub(super) fn count(&self, who: &str, route: &str, group: Option<&str>) -> Option<u64> {
        self.count_at(Instant::now(), format!("{who}\n{route}\n{}", group.unwrap_or_default()))
    }

    fn count_at(&self, now: Instant, what: String) -> Option<u64> {
        let mut seen = self.seen.lock();
        if seen.len() >= MOST && !seen.contains_key(&what) {
            seen.retain(|_, seen| now.duration_since(seen.written) < EVERY);
            if seen.len() >= MOST {
                return None;
            }
        }
        match seen.get_mut(&what) {
            Some(seen) if now.duration_since(seen.written) < EVERY => {
                seen.since += 1;
                None
            }
            Some(seen) => {
                seen.written = now;
                Some(std::mem::take(&mut seen.since) + 1)
            }
            None => {
                seen.insert(what, LastEntry { written: now, since: 0 });
                Some(1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_written_once_a_minute_and_counted() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let count = |seconds, what: &str| refusals.count_at(start + Duration::from_secs(seconds), what.to_owned());
        assert_eq!(count(0, "a"), Some(1));
        assert_eq!((count(1, "a"), count(2, "a"), count(3, "b")), (None, None, Some(1)));
        assert_eq!(count(61, "a"), Some(3));
        for other in 0..MOST {
            count(61, &format!("other {other}"));
        }
        assert_eq!(count(61, "one too many"), None);
        assert_eq!(count(200, "one too many"), Some(1), "the old ones made room");
    }
}
