//! Timers that a node starts, replaces and stops.

use std::future::Future;
use std::time::Duration;

use flotilla_tasks::Task;
use tokio::task::AbortHandle;

/// A timer that stops when it is dropped. It may be dropped by what it fires: that still runs to its end.
pub(in crate::function) struct Timer(AbortHandle);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Milliseconds as a wait; what is no number is as short as can be.
pub(in crate::function) fn millis(ms: f64) -> Duration {
    flotilla_value::wait_ms(ms.max(1.0))
}

impl Timer {
    /// Runs a task on this worker.
    pub(in crate::function) fn run(task: impl Future<Output = ()> + 'static) -> Timer {
        let timer = Task {
            name: "timer",
            owner: "a delay or trigger node".into(),
            ends: "it has fired, or its node stops it",
            failure: "the messages that it held fail",
        };
        Timer(timer.spawn_local(task).abort_handle())
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
