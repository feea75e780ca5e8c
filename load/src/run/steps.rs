//! Steps up to the breaking point, while they go on.

use crate::measure::{Threshold, show_ms};
use crate::report::StepResult;
use crate::scenario::{Checked, StepPlan};
use crate::shared::{Book, Step};
use crate::tracker::Totals;

/// Without conditions of its own a step holds when this share of its rate came out.
const ENOUGH: f64 = 0.95;

/// Looks at each step as it ends.
pub struct Steps {
    plan: Option<(StepPlan, f64)>,
    next: usize,
    /// What ended.
    pub results: Vec<StepResult>,
    collected: bool,
}

impl Steps {
    /// Of the first stream that has some.
    pub fn new(scenario: &Checked) -> Steps {
        let plan = scenario.streams.iter().find_map(|stream| Some((stream.pace.steps.clone()?, stream.pace.after)));
        Steps { plan, next: 0, results: Vec::new(), collected: !scenario.collectors.is_empty() }
    }

    /// Looks whether a step has ended; true when the run is to end with it.
    pub fn look(&mut self, now: f64, book: &mut Book) -> bool {
        let Some((plan, after)) = &self.plan else { return false };
        let ends = after + plan.seconds * (self.next + 1) as f64;
        let Some(rate) = plan.rates.get(self.next).copied() else { return false };
        if now < ends {
            return false;
        }
        self.next += 1;
        let step = book.take_step();
        let result = judge(plan, rate, &step, self.collected);
        let text = format!(
            "{} messages/s: {:.0} out, p99 {}{}",
            rate.round(),
            result.received,
            show_ms(result.p99),
            if result.held { String::new() } else { format!(": {}", result.why) }
        );
        book.event(now, "step", text);
        let broken = !result.held;
        self.results.push(result);
        broken
    }
}

fn judge(plan: &StepPlan, wanted: f64, step: &Step, collected: bool) -> StepResult {
    let latency = step.latency.percentiles();
    let sent = step.sent as f64 / plan.seconds;
    let received = if collected { step.received as f64 / plan.seconds } else { sent };
    let mut result =
        StepResult { wanted, sent, received, p99: latency.p99, errors: step.errors, held: true, why: String::new() };
    let totals = Totals { sent: step.sent, received: step.received, errors: step.errors, ..Totals::default() };
    let fails = |threshold: &Threshold| {
        let value = threshold.metric().of(&totals, &latency, received);
        (!threshold.holds(value, step.sent as f64, 0.0))
            .then(|| format!("{threshold} does not hold: {}", threshold.metric().show(value)))
    };
    let why = if received < wanted * ENOUGH {
        Some(format!("{received:.0} of {wanted:.0} messages/s came out"))
    } else {
        plan.until.iter().find_map(fails)
    };
    if let Some(why) = why {
        result.held = false;
        result.why = why;
    }
    result
}
