//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// Exponential with jitter: each wait is between half and the whole of a step that doubles up to a ceiling, so that a
/// group that lost its broker does not come back in one moment.
#[derive(Debug)]
pub(super) struct Backoff {
    step: Duration,
    ceiling: Duration,
}

const FIRST: Duration = Duration::from_millis(100);

impl Backoff {
    pub(super) fn new(ceiling: Duration) -> Backoff {
        Backoff { step: FIRST.min(ceiling), ceiling }
    }

    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.step.mul_f64(0.5 + rand::random::<f64>() / 2.0);
        self.step = (self.step * 2).min(self.ceiling);
        wait
    }

    /// The connection was good: begin anew.
    pub(super) fn reset(&mut self) {
        self.step = FIRST.min(self.ceiling);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_ceiling_and_start_anew() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        let waits: Vec<Duration> = (0..8).map(|_| backoff.next()).collect();
        assert!(waits[0] >= Duration::from_millis(50) && waits[0] <= Duration::from_millis(100), "{waits:?}");
        assert!(waits[7] >= Duration::from_millis(500) && waits[7] <= Duration::from_secs(1), "{waits:?}");
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(100));
    }
}
