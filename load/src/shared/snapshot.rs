//! How a run goes, for the live view.

use super::book::{Book, Event};
use super::state::{Phase, Run};
use crate::measure::Percentiles;
use crate::tracker::Totals;

/// See the module.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Seconds since the begin.
    pub now: f64,
    /// When the streams end.
    pub ends: f64,
    /// Nothing new is sent.
    pub draining: bool,
    /// Messages a second that are asked for.
    pub wanted: f64,
    /// Counts so far.
    pub totals: Totals,
    /// To come out yet.
    pub outstanding: u64,
    /// Outputs are collected.
    pub collected: bool,
    /// Latencies so far.
    pub latency: Percentiles,
    /// Share of one core.
    pub busy: f64,
    /// Ready replicas.
    pub replicas: Option<u32>,
    /// The newest event.
    pub event: Option<Event>,
}

impl Snapshot {
    /// Now.
    pub(crate) fn of(
        run: &Run,
        book: &Book,
        now: f64,
        ends: f64,
        wanted: f64,
        busy: f64,
        replicas: Option<u32>,
    ) -> Snapshot {
        let collected = book.latency.percentiles().count > 0 || !run.scenario.collectors.is_empty();
        let totals = book.tracker.totals();
        Snapshot {
            now,
            ends,
            draining: run.phase() >= Phase::Draining,
            wanted,
            totals,
            outstanding: totals.sent.saturating_sub(totals.received),
            collected,
            latency: if collected { book.latency.percentiles() } else { book.confirm.percentiles() },
            busy,
            replicas,
            event: book.events.last().cloned(),
        }
    }
}
