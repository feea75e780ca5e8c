//! How old the oldest open delivery is, without a list of all.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::clock::instant;

/// Seconds that are told apart; what is open for longer counts as young again.
const SECONDS: usize = 512;

/// How many deliveries that began in each second are open.
pub(super) struct Ages {
    start: Instant,
    open: Box<[AtomicU32]>,
}

impl Default for Ages {
    fn default() -> Ages {
        Ages { start: Instant::now(), open: (0..SECONDS).map(|_| AtomicU32::new(0)).collect() }
    }
}

impl Ages {
    /// One begins. Answers what the others are to be given: microseconds since the start.
    pub(super) fn begin(&self) -> u64 {
        let began = self.micros();
        self.open[place(began)].fetch_add(1, Ordering::Relaxed);
        began
    }

    /// One that began then ends.
    pub(super) fn end(&self, began: u64) {
        self.open[place(began)].fetch_sub(1, Ordering::Relaxed);
    }

    /// The age of the oldest, in whole seconds.
    pub(super) fn oldest(&self) -> Duration {
        let now = (self.micros() / 1_000_000) as usize;
        let age = (0..SECONDS.min(now + 1)).rev().find(|age| {
            let open = &self.open[(now - age) % SECONDS];
            open.load(Ordering::Relaxed) > 0
        });
        Duration::from_secs(age.unwrap_or(0) as u64)
    }

    /// How old one is that began then.
    pub(super) fn of(&self, began: u64) -> Duration {
        Duration::from_micros(self.micros_of(began))
    }

    /// The same in microseconds.
    pub(super) fn micros_of(&self, began: u64) -> u64 {
        self.micros().saturating_sub(began)
    }

    fn micros(&self) -> u64 {
        instant().saturating_duration_since(self.start).as_micros() as u64
    }
}

/// Where those are counted that began then.
fn place(began: u64) -> usize {
    (began / 1_000_000) as usize % SECONDS
}
