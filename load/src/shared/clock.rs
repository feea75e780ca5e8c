//! Time since the begin of a run.

use std::time::{Duration, Instant};

/// Ticks of 10 us fit a due time into 4 bytes for 11 hours.
pub const TICK_US: u64 = 10;

/// When the run began.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Begins now.
    pub fn start() -> Clock {
        Clock(Instant::now())
    }

    /// Seconds since the begin.
    pub fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    /// The moment that is so many seconds after the begin.
    pub fn at(self, seconds: f64) -> Instant {
        self.0 + Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}

/// Seconds in ticks.
pub fn ticks(seconds: f64) -> u32 {
    (seconds * 1e6 / TICK_US as f64) as u32
}
