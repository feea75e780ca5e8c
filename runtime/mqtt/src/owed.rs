//! A server that does not read its acknowledgements.

use std::time::{Duration, Instant};

use flotilla_codec::client;

/// A server that takes nothing of so much for so long is given up: it may wait for us to read, as we do for it.
const STUCK: Duration = Duration::from_secs(60);

/// What a server is owed, and since when it has taken nothing of that.
#[derive(Debug, Default)]
pub(super) struct Owed {
    owed: client::Owed,
    /// Since when it has been so much that nothing is read, and nothing was taken.
    stuck: Option<Instant>,
}

impl Owed {
    /// So many bytes of acknowledgements were added to what waits.
    pub(super) fn add(&mut self, bytes: usize) {
        self.owed.add(bytes);
    }

    /// The socket took something; `left` bytes wait.
    pub(super) fn wrote(&mut self, left: usize) {
        self.stuck = None;
        self.owed.wrote(left);
    }

    /// True when nothing may be read while `waiting` bytes wait.
    pub(super) fn is_much(&self, waiting: usize) -> bool {
        self.owed.is_much(waiting)
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
        const MUCH: usize = 1 << 20;
        let (mut owed, now) = (Owed::default(), Instant::now());
        assert_eq!(owed.until(now, MUCH), None);
        owed.add(MUCH);
        assert_eq!(owed.until(now, MUCH), Some(now + STUCK));
        let later = now + STUCK / 2;
        assert_eq!(owed.until(later, MUCH), Some(now + STUCK), "nothing was taken");
        owed.add(10);
        owed.wrote(MUCH + 9);
        assert_eq!(owed.until(later, MUCH + 9), Some(later + STUCK));
        owed.wrote(10);
        assert_eq!(owed.until(later, 10), None, "there is room again");
    }
}
