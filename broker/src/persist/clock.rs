//! Between the monotonic clock and the clock that outlives a restart.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Turns the monotonic clock's times into wall-clock milliseconds, which mean something after a restart.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    instant: Instant,
    millis: u64,
}

impl Clock {
    /// Both clocks, read now.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { instant: Instant::now(), millis: since.as_millis() as u64 }
    }

    /// Milliseconds since 1970.
    pub fn to_millis(self, at: Instant) -> u64 {
        if at >= self.instant {
            self.millis.saturating_add((at - self.instant).as_millis() as u64)
        } else {
            self.millis.saturating_sub((self.instant - at).as_millis() as u64)
        }
    }

    /// The time that `millis` was, or will be; the boot of the machine if it was before that.
    pub fn to_instant(self, millis: u64) -> Instant {
        if millis >= self.millis {
            self.instant + Duration::from_millis(millis - self.millis)
        } else {
            let ago = Duration::from_millis(self.millis - millis);
            self.instant.checked_sub(ago).unwrap_or(self.instant)
        }
    }
}
