//! How fast a stream goes, checked.

use super::error::{At, ScenarioError};
use super::file::{Pace, Rate};
use crate::measure::Threshold;
use crate::schedule::{Burst, Plan, Segment};

/// How a stream goes.
#[derive(Clone, Debug)]
pub enum Drive {
    /// By the clock: nothing waits for answers.
    Open(Plan),
    /// Each client waits for its answers: with a window, as fast as they come; or one at a time, with a pause.
    Closed {
        /// Seconds between an answer and the next message.
        think: f64,
        /// One at a time.
        single: bool,
        /// Seconds that the stream runs.
        seconds: f64,
    },
}

/// A stream's pace.
#[derive(Clone, Debug)]
pub struct Paced {
    /// Connections.
    pub clients: usize,
    /// Seconds after the begin of the run.
    pub after: f64,
    /// How.
    pub drive: Drive,
    /// Messages at most.
    pub count: Option<u64>,
    /// Steps, when it goes up to the breaking point.
    pub steps: Option<StepPlan>,
}

/// Steps up to the breaking point.
#[derive(Clone, Debug)]
pub struct StepPlan {
    /// Messages a second of each.
    pub rates: Vec<f64>,
    /// Seconds of each.
    pub seconds: f64,
    /// The run ends with the first step for which one of these does not hold.
    pub until: Vec<Threshold>,
}

/// How long a stream runs that says nothing.
pub(super) const SECONDS: f64 = 30.0;
/// Messages a second of a stream that says nothing.
const RATE: f64 = 100.0;
/// No generator on one core goes beyond this.
const FASTEST: f64 = 10_000_000.0;
/// Connections of a stream at most.
const CLIENTS: usize = 100_000;
/// Steps at most.
const STEPS: usize = 10_000;

impl Paced {
    /// Checks what a scenario says; `seconds` is the scenario's own time.
    pub(super) fn new(field: &str, pace: &Pace, seconds: f64) -> Result<Paced, ScenarioError> {
        let bad = |name: &str, what: String| ScenarioError::field(format!("{field}.{name}"), what);
        let clients = pace.clients.unwrap_or(1);
        if !(1..=CLIENTS).contains(&clients) {
            return Err(bad("clients", format!("{clients} is not between 1 and {CLIENTS}")));
        }
        let seconds = pace.duration.map_or(seconds, super::Span::seconds);
        let many = [pace.rate.is_some(), pace.steps.is_some(), pace.think.is_some()];
        if many.iter().filter(|given| **given).count() > 1 {
            return Err(bad("rate", "give one of \"rate\", \"steps\" and \"think\"".to_owned()));
        }
        let mut steps = None;
        let burst = pace.burst.map(|burst| Burst { every: burst.every.seconds(), messages: burst.messages });
        if burst.is_some_and(|burst| burst.every < 0.001) {
            return Err(bad("burst.every", "it must be at least 1ms".to_owned()));
        }
        let drive = if let Some(think) = pace.think {
            Drive::Closed { think: think.seconds(), single: true, seconds }
        } else if let Some(wanted) = &pace.steps {
            let plan = step_plan(field, wanted)?;
            let stretch = |rate: &f64| Segment { seconds: plan.seconds, from: *rate, to: *rate };
            let drive = Drive::Open(Plan::new(plan.rates.iter().map(stretch), burst));
            steps = Some(plan);
            drive
        } else {
            match rate(field, pace.rate.as_ref())? {
                None => Drive::Closed { think: 0.0, single: false, seconds },
                Some(rate) => {
                    let ramp = pace.ramp.map_or(0.0, super::Span::seconds).min(seconds);
                    // With a count and no time of its own, the stream takes as long as the count does.
                    let seconds = match pace.count {
                        Some(count) if pace.duration.is_none() && burst.is_none() && rate > 0.0 => {
                            count as f64 / rate + ramp / 2.0
                        }
                        _ => seconds,
                    };
                    let segments = [
                        Segment { seconds: ramp.min(seconds), from: 0.0, to: rate },
                        Segment { seconds: seconds - ramp.min(seconds), from: rate, to: rate },
                    ];
                    Drive::Open(Plan::new(segments, burst))
                }
            }
        };
        if burst.is_some() && !matches!(drive, Drive::Open(_)) {
            return Err(bad("burst", "bursts need a \"rate\" in messages a second".to_owned()));
        }
        if pace.ramp.is_some() && (steps.is_some() || !matches!(drive, Drive::Open(_))) {
            return Err(bad("ramp", "a ramp needs a \"rate\" in messages a second".to_owned()));
        }
        let after = pace.after.map_or(0.0, super::Span::seconds);
        Ok(Paced { clients, after, drive, count: pace.count, steps })
    }

    /// Seconds from the begin of the run to the end of the stream.
    pub fn ends(&self) -> f64 {
        self.after
            + match &self.drive {
                Drive::Open(plan) => plan.seconds(),
                Drive::Closed { seconds, .. } => *seconds,
            }
    }

    /// Messages a second that are asked for at a time of the run.
    pub fn wanted_at(&self, seconds: f64) -> f64 {
        match &self.drive {
            Drive::Open(plan) if seconds >= self.after => plan.rate_at(seconds - self.after),
            _ => 0.0,
        }
    }
}

/// Messages a second; `None` for as fast as answers come.
fn rate(field: &str, rate: Option<&Rate>) -> Result<Option<f64>, ScenarioError> {
    let field = format!("{field}.rate");
    let number = match rate {
        None => RATE,
        Some(Rate::Number(number)) => *number,
        Some(Rate::Text(text)) if text.trim() == "max" => return Ok(None),
        Some(Rate::Text(text)) => {
            text.trim().trim_end_matches("/s").replace('_', "").trim().parse().map_err(|_| {
                ScenarioError::field(&field, format!("\"{text}\" is not messages a second, nor \"max\""))
            })?
        }
    };
    if !(0.0..=FASTEST).contains(&number) {
        return Err(ScenarioError::field(field, format!("{number} is not between 0 and {FASTEST} messages a second")));
    }
    Ok(Some(number))
}

fn step_plan(field: &str, steps: &super::file::Steps) -> Result<StepPlan, ScenarioError> {
    let bad = |name: &str, what: &str| Err(ScenarioError::field(format!("{field}.steps.{name}"), what));
    if !(steps.from > 0.0 && steps.from <= steps.to && steps.to <= FASTEST) {
        return bad("from", "steps go from a rate above 0 to a larger one");
    }
    if !(steps.by > 0.0 && (steps.to - steps.from) / steps.by <= STEPS as f64) {
        return bad("by", "each step must be larger than the one before, and there may be 10,000 at most");
    }
    if steps.every.seconds() < 1.0 {
        return bad("every", "a step must take a second at least");
    }
    let count = ((steps.to - steps.from) / steps.by + 1e-9).floor() as usize + 1;
    let until = steps
        .until
        .iter()
        .map(|text| text.parse::<Threshold>().at(&format!("{field}.steps.until")))
        .collect::<Result<_, _>>()?;
    let rates = (0..count).map(|number| steps.from + steps.by * number as f64).collect();
    Ok(StepPlan { rates, seconds: steps.every.seconds(), until })
}
