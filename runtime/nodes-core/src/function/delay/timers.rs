//! Timers that a node starts, replaces and stops.

use std::future::Future;
use std::time::Duration;

use tokio::task::{AbortHandle, spawn_local};

/// Longer waits overflow the timers of JavaScript, which then fire at once; here they are cut to this.
const LONGEST_MS: f64 = 4e12;

/// A timer that stops when it is dropped. It may be dropped by what it fires: that still runs to its end.
pub(in crate::function) struct Timer(AbortHandle);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Milliseconds as a duration; what is no number is as short as can be.
pub(in crate::function) fn millis(ms: f64) -> Duration {
    let ms = if ms >= 1.0 { ms.min(LONGEST_MS) } else { 1.0 };
    Duration::from_secs_f64(ms / 1000.0)
}

impl Timer {
    /// Runs a task on this worker.
    pub(in crate::function) fn run(task: impl Future<Output = ()> + 'static) -> Timer {
        Timer(spawn_local(task).abort_handle())
    }

    /// Once, after so many milliseconds.
    pub(in crate::function) fn after(ms: f64, fire: impl FnOnce() + 'static) -> Timer {
        Timer::run(async move {
            tokio::time::sleep(millis(ms)).await;
            fire();
        })
    }

    /// Every so many milliseconds.
    pub(in crate::function) fn every(ms: f64, fire: impl Fn() + 'static) -> Timer {
        Timer::run(async move {
            let mut ticks = tokio::time::interval(millis(ms));
            ticks.tick().await;
            loop {
                ticks.tick().await;
                fire();
            }
        })
    }
}
