//! What happened when: a bounded number of points over the run, however long it is.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::latency::percentiles;

/// Points at most; past that, neighbours are joined and each point covers twice the time.
const MOST: usize = 720;

/// A stretch of the run, while it is filled.
#[derive(Clone, Debug, Default)]
struct Slot {
    sent: u64,
    confirmed: u64,
    received: u64,
    errors: u64,
    repeated: u64,
    out_of_order: u64,
    wanted: f64,
    busy: f64,
    replicas: Option<u32>,
    latencies: Option<Box<Histogram<u32>>>,
}

/// Counts per stretch of time.
#[derive(Clone, Debug)]
pub struct Timeline {
    slot_ms: u64,
    slots: Vec<Slot>,
}

/// A point of the charts: rates are per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Point {
    /// Seconds from the begin of the run to the begin of the point.
    pub at_s: f64,
    /// Messages and requests a second that the scenario asks for.
    pub wanted: f64,
    /// Sent.
    pub sent: f64,
    /// Acknowledged.
    pub confirmed: f64,
    /// Came out for the first time.
    pub received: f64,
    /// Failed.
    pub errors: f64,
    /// Came out again.
    pub repeated: f64,
    /// Out of order.
    pub out_of_order: f64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Milliseconds.
    pub max: f64,
    /// Share of its core that the generator was busy, 0 to 1.
    pub busy: f64,
    /// Ready replicas, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
}

/// What a timeline counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Sent.
    Sent,
    /// Acknowledged.
    Confirmed,
    /// Came out for the first time.
    Received,
    /// Failed.
    Error,
    /// Came out again.
    Repeated,
    /// Out of order.
    OutOfOrder,
}

impl Timeline {
    /// Begins with points of this length.
    pub fn new(slot_ms: u64) -> Timeline {
        Timeline { slot_ms: slot_ms.max(1), slots: Vec::new() }
    }

    /// Milliseconds of a point now.
    pub fn slot_ms(&self) -> u64 {
        self.slot_ms
    }

    /// Counts.
    pub fn add(&mut self, at_ms: u64, what: What, count: u64) {
        let slot = self.slot(at_ms);
        let field = match what {
            What::Sent => &mut slot.sent,
            What::Confirmed => &mut slot.confirmed,
            What::Received => &mut slot.received,
            What::Error => &mut slot.errors,
            What::Repeated => &mut slot.repeated,
            What::OutOfOrder => &mut slot.out_of_order,
        };
        *field += count;
    }

    /// A latency.
    pub fn latency(&mut self, at_ms: u64, microseconds: u64) {
        let slot = self.slot(at_ms);
        let histogram = slot.latencies.get_or_insert_with(|| {
            #[allow(clippy::unwrap_used, reason = "constants within the crate's limits")]
            Box::new(Histogram::new_with_bounds(1, 3_600_000_000, 2).unwrap())
        });
        histogram.saturating_record(microseconds.max(1));
    }

    /// What the scenario asks for now, how busy the generator is, and how many replicas are ready.
    pub fn gauge(&mut self, at_ms: u64, wanted: f64, busy: f64, replicas: Option<u32>) {
        let slot = self.slot(at_ms);
        slot.wanted = wanted;
        slot.busy = slot.busy.max(busy);
        // The fewest: a replica that was away for a moment shows.
        slot.replicas = match (slot.replicas, replicas) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => other.or(one),
        };
    }

    fn slot(&mut self, at_ms: u64) -> &mut Slot {
        while at_ms / self.slot_ms >= MOST as u64 {
            self.halve();
        }
        let at = (at_ms / self.slot_ms) as usize;
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, Slot::default);
        }
        &mut self.slots[at]
    }

    fn halve(&mut self) {
        self.slot_ms *= 2;
        let mut old = std::mem::take(&mut self.slots).into_iter();
        while let Some(mut slot) = old.next() {
            if let Some(other) = old.next() {
                slot.join(other);
            }
            self.slots.push(slot);
        }
    }

    /// The points up to a time; a last one that is hardly begun is left out.
    pub fn points(&self, end_ms: u64) -> Vec<Point> {
        let mut points = Vec::new();
        for (number, slot) in self.slots.iter().enumerate() {
            let begin = number as u64 * self.slot_ms;
            let covered = end_ms.saturating_sub(begin).min(self.slot_ms);
            if covered * 2 >= self.slot_ms || (number == 0 && covered > 0) {
                points.push(slot.point(begin, covered));
            }
        }
        points
    }
}

impl Slot {
    fn join(&mut self, other: Slot) {
        self.sent += other.sent;
        self.confirmed += other.confirmed;
        self.received += other.received;
        self.errors += other.errors;
        self.repeated += other.repeated;
        self.out_of_order += other.out_of_order;
        self.wanted = f64::midpoint(self.wanted, other.wanted);
        self.busy = self.busy.max(other.busy);
        self.replicas = match (self.replicas, other.replicas) {
            (Some(one), Some(more)) => Some(one.min(more)),
            (one, more) => one.or(more),
        };
        match (&mut self.latencies, other.latencies) {
            (Some(one), Some(more)) => {
                // Same bounds: nothing is refused.
                let _ = one.add(&*more);
            }
            (one @ None, more) => *one = more,
            (Some(_), None) => {}
        }
    }

    fn point(&self, begin_ms: u64, covered_ms: u64) -> Point {
        let rate = |count: u64| (count as f64 * 10_000.0 / covered_ms as f64).round() / 10.0;
        let latency = self.latencies.as_deref().map(percentiles).unwrap_or_default();
        Point {
            at_s: begin_ms as f64 / 1000.0,
            wanted: (self.wanted * 10.0).round() / 10.0,
            sent: rate(self.sent),
            confirmed: rate(self.confirmed),
            received: rate(self.received),
            errors: rate(self.errors),
            repeated: rate(self.repeated),
            out_of_order: rate(self.out_of_order),
            p50: latency.p50,
            p99: latency.p99,
            max: latency.max,
            busy: (self.busy * 100.0).round() / 100.0,
            replicas: self.replicas,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_its_sums_in_few_points() {
        let mut timeline = Timeline::new(1000);
        for second in 0..10_000u64 {
            timeline.add(second * 1000, What::Sent, 2);
            timeline.latency(second * 1000, 100 + second % 10);
        }
        let points = timeline.points(10_000_000);
        assert!(points.len() <= MOST, "{}", points.len());
        assert!(points.iter().all(|point| (point.sent - 2.0).abs() < 0.1), "{:?}", points.last());
        assert!(points.iter().all(|point| point.p50 >= 0.1 && point.max < 0.2));
    }
}
