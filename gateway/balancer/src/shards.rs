//! What is counted with every request: once a thread, so that the threads do not take the counts from each other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::StatusCode;

/// Upper bounds of the durations' buckets, in seconds.
pub(super) const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// The counts of one thread, on cache lines of their own.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Shard {
    /// Answers by the first digit of their status.
    pub(super) classes: [AtomicU64; 6],
    pub(super) buckets: [AtomicU64; BUCKETS.len() + 1],
    pub(super) nanos: AtomicU64,
    pub(super) open: AtomicU64,
}

/// The counts of all threads.
pub(super) struct Shards(Box<[Shard]>);

/// Counts a request while it is open.
pub(super) struct Open<'a>(&'a AtomicU64);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Shards {
    fn default() -> Shards {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Shards((0..threads).map(|_| Shard::default()).collect())
    }
}

impl Shards {
    /// A request of a thread is open.
    pub(super) fn open(&self, thread: usize) -> Open<'_> {
        let open = &self.of(thread).open;
        open.fetch_add(1, Ordering::Relaxed);
        Open(open)
    }

    /// A request of a thread was answered.
    pub(super) fn answered(&self, thread: usize, status: StatusCode, took: Duration) {
        let shard = self.of(thread);
        let class = usize::from(status.as_u16() / 100).min(shard.classes.len() - 1);
        shard.classes[class].fetch_add(1, Ordering::Relaxed);
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.iter().position(|bound| seconds <= *bound).unwrap_or(BUCKETS.len());
        shard.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        shard.nanos.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
    }

    /// A count of all threads together.
    pub(super) fn sum(&self, count: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        self.0.iter().map(|shard| count(shard).load(Ordering::Relaxed)).sum()
    }

    fn of(&self, thread: usize) -> &Shard {
        &self.0[thread % self.0.len()]
    }
}
