//! What is written down while a run goes on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::clock::{TICK_US, ticks};
use crate::measure::{Latencies, Timeline, What};
use crate::tracker::Tracker;

/// Everything that is counted; all of it bounded.
pub struct Book {
    /// Each message.
    pub tracker: Tracker,
    /// Counts and latencies by time.
    pub timeline: Timeline,
    /// From due to output.
    pub latency: Latencies,
    /// From due to acknowledgement.
    pub confirm: Latencies,
    /// How late the generator itself was.
    pub late: Latencies,
    /// Faults, reconnects, steps: what goes onto the time axis.
    pub events: Vec<Event>,
    /// Of each stream.
    pub streams: Vec<StreamCount>,
    /// Error texts and how often.
    pub errors: BTreeMap<String, u64>,
    /// Seconds at which the last output or acknowledgement came.
    pub last: f64,
    /// Since the last [`Book::take_step`]: sent, received, errors, and the latencies.
    step: Step,
}

/// What was counted since a step began.
#[derive(Default)]
pub struct Step {
    /// Sent.
    pub sent: u64,
    /// Came out.
    pub received: u64,
    /// Failed.
    pub errors: u64,
    /// From due to output.
    pub latency: Latencies,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Seconds since the begin of the run.
    pub at_s: f64,
    /// `fault`, `connection`, `step` or `note`.
    pub kind: String,
    /// For people.
    pub what: String,
}

/// Counts of a stream.
#[derive(Clone, Debug, Default)]
pub struct StreamCount {
    /// Sent.
    pub sent: u64,
    /// Acknowledged.
    pub confirmed: u64,
    /// Failed.
    pub errors: u64,
}

/// Events kept at most.
const MOST_EVENTS: usize = 2000;
/// Different error texts kept at most.
const MOST_ERRORS: usize = 50;

impl Book {
    /// An empty one.
    pub fn new(findings: usize, streams: usize) -> Book {
        Book {
            tracker: Tracker::new(findings),
            timeline: Timeline::new(1000),
            latency: Latencies::default(),
            confirm: Latencies::default(),
            late: Latencies::default(),
            events: Vec::new(),
            streams: vec![StreamCount::default(); streams],
            errors: BTreeMap::new(),
            last: 0.0,
            step: Step::default(),
        }
    }

    /// A message goes out now; latencies count from `from`. Gives its sequence.
    pub fn send(&mut self, stream: usize, key: u32, from: f64, now: f64) -> u32 {
        self.streams[stream].sent += 1;
        self.step.sent += 1;
        self.timeline.add(ms(now), What::Sent, 1);
        self.tracker.issue(key, ticks(from))
    }

    /// It was acknowledged.
    pub fn confirm(&mut self, stream: usize, key: u32, seq: u32, from: f64, now: f64) {
        self.streams[stream].confirmed += 1;
        self.tracker.confirm(key, seq);
        self.confirm.record(((now - from).max(0.0) * 1e6) as u64);
        self.timeline.add(ms(now), What::Confirmed, 1);
        self.last = now;
    }

    /// The broker acknowledged a message, and had no subscriber for it.
    pub fn unrouted(&mut self) {
        self.tracker.totals_mut().unrouted += 1;
    }

    /// An output came.
    pub fn receive(&mut self, key: u32, seq: u32, now: f64) {
        let at_ms = ms(now);
        let disordered = self.tracker.totals().out_of_order;
        let got = self.tracker.receive(key, seq, at_ms);
        self.last = now;
        if !got.first {
            self.timeline.add(at_ms, What::Repeated, 1);
            return;
        }
        self.step.received += 1;
        self.timeline.add(at_ms, What::Received, 1);
        if self.tracker.totals().out_of_order > disordered {
            self.timeline.add(at_ms, What::OutOfOrder, 1);
        }
        if let Some(due) = got.due {
            let us = u64::from(ticks(now).saturating_sub(due)) * TICK_US;
            self.latency.record(us);
            self.step.latency.record(us);
            self.timeline.latency(at_ms, us);
        }
    }

    /// Something failed.
    pub fn error(&mut self, stream: usize, what: &str, now: f64) {
        self.streams[stream].errors += 1;
        self.step.errors += 1;
        self.tracker.totals_mut().errors += 1;
        self.timeline.add(ms(now), What::Error, 1);
        self.note_failure(what);
    }

    /// A message or request failed for good: nobody promised an output of it, and none is waited for.
    pub fn refuse(&mut self, stream: usize, key: u32, seq: u32, what: &str, now: f64) {
        self.tracker.fail(key, seq);
        self.error(stream, what, now);
    }

    /// A failed attempt to connect again: counted by its text, no error of the run.
    pub fn note_failure(&mut self, what: &str) {
        if let Some(count) = self.errors.get_mut(what) {
            *count += 1;
        } else if self.errors.len() < MOST_ERRORS {
            self.errors.insert(what.to_owned(), 1);
        }
    }

    /// Marks the time axis.
    pub fn event(&mut self, at_s: f64, kind: &str, what: impl Into<String>) {
        if self.events.len() < MOST_EVENTS {
            self.events.push(Event {
                at_s: (at_s * 1000.0).round() / 1000.0,
                kind: kind.to_owned(),
                what: what.into(),
            });
        }
    }

    /// What was counted since this was called last.
    pub fn take_step(&mut self) -> Step {
        std::mem::take(&mut self.step)
    }
}

fn ms(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1000.0) as u64
}
