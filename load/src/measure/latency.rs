//! Latencies, in a histogram of fixed size.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Latencies in microseconds, from 1 us to an hour, to three digits.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

/// The percentiles of a histogram, in milliseconds; zero where there is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Percentiles {
    /// How many latencies.
    pub count: u64,
    /// The least.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// Half are at most this.
    pub p50: f64,
    /// 90 of 100.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1,000.
    pub p999: f64,
    /// 9,999 of 10,000.
    pub p9999: f64,
    /// The most.
    pub max: f64,
}

/// A bar of the chart: latencies up to `to_ms`, above the bar before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Upper end in milliseconds.
    pub to_ms: f64,
    /// How many.
    pub count: u64,
}

/// The longest latency that is told apart: an hour.
const LONGEST_US: u64 = 3_600_000_000;

impl Default for Latencies {
    fn default() -> Latencies {
        // Bounds and digits are constants that the crate takes.
        #[allow(clippy::unwrap_used, reason = "constants within the crate's limits")]
        Latencies(Histogram::new_with_bounds(1, LONGEST_US, 3).unwrap())
    }
}

impl Latencies {
    /// Takes a latency in.
    pub fn record(&mut self, microseconds: u64) {
        self.0.saturating_record(microseconds.max(1));
    }

    /// The percentiles.
    pub fn percentiles(&self) -> Percentiles {
        percentiles(&self.0)
    }

    /// The distribution in bars whose ends grow by a quarter, from the first with something to the last.
    pub fn bars(&self) -> Vec<Bar> {
        let mut bars: Vec<Bar> = Vec::new();
        let mut before = 0.0;
        for value in self.0.iter_log((self.0.min().max(1) as f64 * 0.8).max(1.0) as u64, 1.25) {
            let to_ms = value.value_iterated_to() as f64 / 1000.0;
            let count = value.count_since_last_iteration();
            if to_ms > before && (count > 0 || !bars.is_empty()) {
                bars.push(Bar { to_ms, count });
                before = to_ms;
            }
        }
        bars
    }
}

/// The percentiles of any histogram of microseconds.
pub(super) fn percentiles<C: hdrhistogram::Counter>(histogram: &Histogram<C>) -> Percentiles {
    if histogram.is_empty() {
        return Percentiles::default();
    }
    let at = |quantile: f64| histogram.value_at_quantile(quantile).min(histogram.max()) as f64 / 1000.0;
    Percentiles {
        count: histogram.len(),
        min: histogram.min() as f64 / 1000.0,
        mean: (histogram.mean() / 10.0).round() / 100.0,
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        p999: at(0.999),
        p9999: at(0.9999),
        max: histogram.max() as f64 / 1000.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_recorded() {
        let mut latencies = Latencies::default();
        for us in 1..=10_000 {
            latencies.record(us);
        }
        let got = latencies.percentiles();
        for (got, wanted) in [(got.p50, 5.0), (got.p99, 9.9), (got.p9999, 9.999), (got.max, 10.0), (got.min, 0.001)] {
            assert!((got - wanted).abs() <= wanted * 0.002, "{got} {wanted}");
        }
        assert_eq!(got.count, 10_000);
        assert_eq!(latencies.bars().iter().map(|bar| bar.count).sum::<u64>(), 10_000);
        assert_eq!(Latencies::default().percentiles(), Percentiles::default());
        latencies.record(u64::MAX);
        assert!(latencies.percentiles().max >= 3_600_000.0 * 0.99);
    }
}
