//! When a replica that died is started again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The first wait; it doubles with each death in a row.
const FIRST: Duration = Duration::from_millis(200);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(10);
/// A replica that lived this long starts with the first wait again.
const STABLE: Duration = Duration::from_secs(30);
/// This many deaths within [`WINDOW`] are a crash loop.
const DEATHS: usize = 5;
/// See [`DEATHS`].
const WINDOW: Duration = Duration::from_mins(1);

/// What to do about a replica that died.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Start it again after this wait.
    Restart(Duration),
    /// It crash-loops: hold it down and say so. It is tried again after this wait.
    HoldDown(Duration),
}

/// A replica's deaths.
#[derive(Default)]
pub struct Backoff {
    deaths: VecDeque<Instant>,
    in_a_row: u32,
}

impl Backoff {
    /// How long a replica that crash-loops is held down.
    pub const HELD: Duration = Duration::from_mins(1);

    /// Takes note of a death. `lived`: how long the process ran.
    pub fn died(&mut self, now: Instant, lived: Duration) -> Verdict {
        self.in_a_row = if lived >= STABLE { 1 } else { self.in_a_row + 1 };
        self.deaths.push_back(now);
        while self.deaths.front().is_some_and(|death| now.duration_since(*death) > WINDOW) {
            self.deaths.pop_front();
        }
        // Only those that die young crash-loop: a replica killed from outside after a good life does not.
        if self.in_a_row as usize >= DEATHS && self.deaths.len() >= DEATHS {
            self.deaths.clear();
            self.in_a_row = 0;
            return Verdict::HoldDown(Backoff::HELD);
        }
        Verdict::Restart((FIRST * 2u32.saturating_pow(self.in_a_row - 1)).min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_a_good_life_resets_them() {
        let mut backoff = Backoff::default();
        let now = Instant::now();
        let young = Duration::from_secs(1);
        assert_eq!(backoff.died(now, young), Verdict::Restart(Duration::from_millis(200)));
        assert_eq!(backoff.died(now, young), Verdict::Restart(Duration::from_millis(400)));
        assert_eq!(backoff.died(now, Duration::from_secs(31)), Verdict::Restart(Duration::from_millis(200)));
    }

    #[test]
    fn a_crash_loop_is_held_down() {
        let mut backoff = Backoff::default();
        let now = Instant::now();
        for _ in 0..4 {
            assert!(matches!(backoff.died(now, Duration::ZERO), Verdict::Restart(_)));
        }
        assert_eq!(backoff.died(now, Duration::ZERO), Verdict::HoldDown(Backoff::HELD));
        assert!(matches!(backoff.died(now, Duration::ZERO), Verdict::Restart(_)));
    }
}
