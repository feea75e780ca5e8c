//! How long deliveries take, as a histogram.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets, in seconds.
pub const BOUNDS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// How long deliveries took from their arrival to their end, when what they came as may be acknowledged.
#[derive(Debug, Default)]
pub struct Latencies {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// A snapshot of [`Latencies`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LatencyCounts {
    /// For each of [`BOUNDS`] how many took that long at most, and last how many there are.
    pub up_to: Vec<u64>,
    /// All of them together.
    pub sum: Duration,
}

impl Latencies {
    pub(super) fn add(&self, micros: u64) {
        let seconds = micros as f64 / 1e6;
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// What there is so far.
    pub fn counts(&self) -> LatencyCounts {
        let mut below = 0;
        let up_to = self.buckets.iter().map(|bucket| {
            below += bucket.load(Ordering::Relaxed);
            below
        });
        LatencyCounts { up_to: up_to.collect(), sum: Duration::from_micros(self.micros.load(Ordering::Relaxed)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_its_bucket_and_in_all_above() {
        let latencies = Latencies::default();
        [400, 500, 501, 70_000_000].into_iter().for_each(|micros| latencies.add(micros));
        let counts = latencies.counts();
        assert_eq!(counts.up_to[..3], [2, 3, 3]);
        assert_eq!(counts.up_to[BOUNDS.len() - 1..], [3, 4]);
        assert_eq!(counts.sum, Duration::from_micros(70_001_401));
    }
}
