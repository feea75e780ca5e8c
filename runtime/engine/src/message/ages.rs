//! How old the oldest open delivery is, without a list of all.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

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
    /// One begins. Answers what [`Ages::end`] is to be given.
    pub(super) fn begin(&self) -> u32 {
        let second = self.now();
        self.open[second as usize % SECONDS].fetch_add(1, Ordering::Relaxed);
        second
    }

    /// One that began in this second ends.
    pub(super) fn end(&self, second: u32) {
        self.open[second as usize % SECONDS].fetch_sub(1, Ordering::Relaxed);
    }

    /// The age of the oldest, in whole seconds.
    pub(super) fn oldest(&self) -> Duration {
        let now = self.now() as usize;
        let age = (0..SECONDS.min(now + 1)).rev().find(|age| {
            let open = &self.open[(now - age) % SECONDS];
            open.load(Ordering::Relaxed) > 0
        });
        Duration::from_secs(age.unwrap_or(0) as u64)
    }

    fn now(&self) -> u32 {
        self.start.elapsed().as_secs() as u32
    }
}
