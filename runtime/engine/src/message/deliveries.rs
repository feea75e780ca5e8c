//! All deliveries of a replica.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::ages::Ages;
use super::latency::{Latencies, LatencyCounts};
use crate::trail::Recorder;

/// The deliveries of a replica: how many are open, and how the others ended.
pub struct Deliveries {
    pub(super) in_flight: AtomicUsize,
    pub(super) started: AtomicU64,
    pub(super) completed: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) abandoned: AtomicU64,
    pub(super) idle: Notify,
    pub(super) ages: Ages,
    pub(super) latencies: Latencies,
    /// Latencies are measured.
    pub(super) measures: bool,
    pub(super) recorder: Recorder,
    /// What ends with a failure now was cut off in the middle.
    pub(super) cutting: Arc<AtomicBool>,
}

/// A snapshot of [`Deliveries`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Open now.
    pub in_flight: usize,
    /// Begun since start.
    pub started: u64,
    /// Ended without a failure.
    pub completed: u64,
    /// Ended with an uncaught error.
    pub failed: u64,
    /// Given up.
    pub abandoned: u64,
}

impl Default for Deliveries {
    fn default() -> Deliveries {
        Deliveries::new(Arc::default(), true)
    }
}

impl Deliveries {
    /// Deliveries that end as abandoned instead of failed while `cutting` is set. Their latencies are kept if it `measures` them.
    pub fn new(cutting: Arc<AtomicBool>, measures: bool) -> Deliveries {
        Deliveries {
            in_flight: AtomicUsize::new(0),
            started: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            idle: Notify::new(),
            ages: Ages::default(),
            latencies: Latencies::default(),
            measures,
            recorder: Recorder::default(),
            cutting,
        }
    }

    /// True when [`Deliveries::latencies`] are measured.
    pub fn measures(&self) -> bool {
        self.measures
    }

    /// For how long the oldest that is open has been open, in whole seconds.
    pub fn oldest(&self) -> Duration {
        self.ages.oldest()
    }

    /// How long those took that were not abandoned.
    pub fn latencies(&self) -> LatencyCounts {
        self.latencies.counts()
    }

    /// Their trails.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// How many are open and how the others ended.
    pub fn counts(&self) -> Counts {
        Counts {
            in_flight: self.in_flight.load(Ordering::Acquire),
            started: self.started.load(Ordering::Relaxed),
            completed: self.completed.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            abandoned: self.abandoned.load(Ordering::Relaxed),
        }
    }

    /// Waits until none is open.
    pub async fn idle(&self) {
        loop {
            let changed = self.idle.notified();
            if self.in_flight.load(Ordering::Acquire) == 0 {
                return;
            }
            changed.await;
        }
    }
}
