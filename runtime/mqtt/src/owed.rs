//! Acknowledgements that a server does not read.

use std::time::{Duration, Instant};

/// Bytes of acknowledgements that wait for the socket; past them nothing is read. What the open deliveries are owed comes on top.
const MOST: usize = 512 << 10;
/// A server that takes nothing of so much for so long is given up: it may wait for us to read, as we do for it.
const STUCK: Duration = Duration::from_secs(60);

/// How much of what waits for the socket are acknowledgements. Publishes are not counted, since the outbox bounds them: one that
/// is large must not keep its own acknowledgement from being read.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// Since nothing waited. Some of it may have been written since.
    bytes: usize,
    /// Since when it has been so much, and nothing was taken.
    stuck: Option<Instant>,
}

impl Owed {
    /// So many bytes of acknowledgements were added to what waits.
    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// The socket took something; `left` bytes wait.
    pub(super) fn wrote(&mut self, left: usize) {
        self.stuck = None;
        if left == 0 {
            self.bytes = 0;
        }
    }

    /// True when nothing may be read while `waiting` bytes wait.
    pub(super) fn is_much(&self, waiting: usize) -> bool {
        self.bytes.min(waiting) >= MOST
    }

    /// When the server is given up, if it takes nothing until then.
    pub(super) fn until(&mut self, now: Instant, waiting: usize) -> Option<Instant> {
        self.is_much(waiting).then(|| *self.stuck.get_or_insert(now) + STUCK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_takes_nothing_has_its_time_and_one_that_takes_a_little_has_it_anew() {
        let (mut owed, now) = (Owed::default(), Instant::now());
        owed.add(MOST - 1);
        assert!(!owed.is_much(10 * MOST), "the rest are publishes");
        assert_eq!(owed.until(now, 10 * MOST), None);
        owed.add(1);
        assert!(owed.is_much(MOST));
        assert_eq!(owed.until(now, MOST), Some(now + STUCK));
        let later = now + STUCK / 2;
        assert_eq!(owed.until(later, MOST), Some(now + STUCK), "nothing was taken");
        owed.add(10);
        owed.wrote(MOST + 9);
        assert_eq!(owed.until(later, MOST + 9), Some(later + STUCK));
        owed.wrote(MOST - 1);
        assert!(!owed.is_much(MOST - 1), "there is room again");
        owed.wrote(0);
        owed.add(10);
        assert!(!owed.is_much(10 * MOST), "counted anew");
    }
}
