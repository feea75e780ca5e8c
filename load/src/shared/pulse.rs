//! When a client's next message is due.

use crate::scenario::{Drive, Paced};
use crate::schedule::Turns;

/// A client's place in its stream's pace.
#[derive(Clone, Debug)]
pub struct Pulse {
    after: f64,
    ends: f64,
    left: Option<u64>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Open { plan: crate::schedule::Plan, turns: Turns },
    Closed { think: f64, single: bool, ready: Option<f64> },
}

impl Pulse {
    /// Of a client, from 0.
    pub fn new(pace: &Paced, client: usize) -> Pulse {
        let clients = pace.clients as u64;
        let left = pace.count.map(|count| count / clients + u64::from((client as u64) < count % clients));
        let kind = match &pace.drive {
            Drive::Open(plan) => Kind::Open { plan: plan.clone(), turns: plan.turns(client as u64, clients) },
            Drive::Closed { think, single, .. } => Kind::Closed { think: *think, single: *single, ready: Some(0.0) },
        };
        Pulse { after: pace.after, ends: pace.ends(), left, kind }
    }

    /// Seconds from the begin of the run at which the next message is due; `None` while an answer is waited for, and after
    /// the last.
    pub fn due(&mut self) -> Option<f64> {
        if self.left == Some(0) {
            return None;
        }
        let due = match &mut self.kind {
            Kind::Open { plan, turns } => turns.peek(plan)?,
            Kind::Closed { ready, .. } => (*ready)?,
        };
        let due = due + self.after;
        (due < self.ends || matches!(self.kind, Kind::Open { .. })).then_some(due)
    }

    /// True when the clock alone says when messages are due.
    pub fn by_clock(&self) -> bool {
        matches!(self.kind, Kind::Open { .. })
    }

    /// The message that was due goes out.
    pub fn pass(&mut self, now: f64) {
        self.left = self.left.map(|left| left.saturating_sub(1));
        match &mut self.kind {
            Kind::Open { plan, turns } => turns.pass(plan),
            Kind::Closed { single, ready, .. } => *ready = (!*single).then_some(now - self.after),
        }
    }

    /// An answer came: with think time, the next is due after it.
    pub fn answered(&mut self, now: f64) {
        if let Kind::Closed { think, single: true, ready } = &mut self.kind {
            *ready = Some(now - self.after + *think);
        }
    }

    /// True when nothing more will be due.
    pub fn is_over(&mut self, now: f64) -> bool {
        if self.left == Some(0) {
            return true;
        }
        match &mut self.kind {
            Kind::Open { plan, turns } => turns.peek(plan).is_none(),
            Kind::Closed { .. } => now >= self.ends,
        }
    }

    /// When it ends.
    pub fn ends(&self) -> f64 {
        self.ends
    }
}
