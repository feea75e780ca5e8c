//! When each message of a stream is due: an open-loop schedule that never waits for answers.

/// A stretch of time in which the rate goes from one value to another, evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// Seconds that it takes.
    pub seconds: f64,
    /// Messages a second at its begin.
    pub from: f64,
    /// Messages a second at its end.
    pub to: f64,
}

/// So many messages at once, again and again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// Seconds from one to the next; the first comes after this time.
    pub every: f64,
    /// Messages in each.
    pub messages: u64,
}

/// A schedule: stretches one after the other, and bursts on top.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    stretches: Vec<Stretch>,
    burst: Option<Burst>,
    length: f64,
    steady: u64,
}

/// A segment with its place in the plan.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stretch {
    segment: Segment,
    /// Seconds from the begin of the plan.
    start: f64,
    /// Messages before it.
    before: f64,
}

impl Stretch {
    fn messages(&self) -> f64 {
        f64::midpoint(self.segment.from, self.segment.to) * self.segment.seconds
    }

    /// Seconds after its start at which `count` messages of it are due: `count = from·t + (to - from)/(2·T)·t²`.
    fn time_of(&self, count: f64) -> f64 {
        let Segment { seconds, from, to } = self.segment;
        let slope = (to - from) / seconds;
        if slope.abs() < 1e-12 {
            return count / from;
        }
        // The form that loses no digits when `from` is much larger than the square root's change.
        let root = (from * from + 2.0 * slope * count).max(0.0).sqrt();
        if from + root == 0.0 {
            // The first of a ramp from 0.
            return 0.0;
        }
        (2.0 * count / (from + root)).min(seconds)
    }
}

impl Plan {
    /// Joins the segments; those without time or messages are left out where they change nothing.
    pub fn new(segments: impl IntoIterator<Item = Segment>, burst: Option<Burst>) -> Plan {
        let mut plan = Plan { burst: burst.filter(|burst| burst.messages > 0 && burst.every > 0.0), ..Plan::default() };
        let mut before = 0.0;
        for segment in segments {
            if segment.seconds <= 0.0 {
                continue;
            }
            let stretch = Stretch { segment, start: plan.length, before };
            before += stretch.messages();
            plan.length += segment.seconds;
            plan.stretches.push(stretch);
        }
        // A whole number of messages may be a rounding error below itself.
        plan.steady = (before + 1e-6).floor() as u64;
        plan
    }

    /// Seconds from begin to end.
    pub fn seconds(&self) -> f64 {
        self.length
    }

    /// All messages, bursts included.
    pub fn messages(&self) -> u64 {
        self.steady + self.in_bursts()
    }

    fn in_bursts(&self) -> u64 {
        self.burst.map_or(0, |burst| (self.length / burst.every - 1e-9).max(0.0).floor() as u64 * burst.messages)
    }

    /// Messages a second that are wanted at a time, without bursts.
    pub fn rate_at(&self, seconds: f64) -> f64 {
        let last = self.stretches.iter().rev().find(|stretch| stretch.start <= seconds);
        last.filter(|stretch| seconds <= stretch.start + stretch.segment.seconds).map_or(0.0, |stretch| {
            let Segment { seconds: length, from, to } = stretch.segment;
            from + (to - from) * (seconds - stretch.start) / length
        })
    }

    /// The due times of one client out of `clients`, who take turns.
    #[allow(clippy::unused_self, reason = "turns belong to a plan")]
    pub fn turns(&self, client: u64, clients: u64) -> Turns {
        Turns { clients, steady: client, burst: client, at: 0 }
    }
}

/// Where a client is in its share of a plan.
#[derive(Clone, Debug)]
pub struct Turns {
    clients: u64,
    steady: u64,
    burst: u64,
    at: usize,
}

impl Turns {
    /// Seconds from the begin of the plan at which the client's next message is due; `None` after its last.
    pub fn peek(&mut self, plan: &Plan) -> Option<f64> {
        match (self.next_steady(plan), self.next_burst(plan)) {
            (Some(steady), Some(burst)) => Some(steady.min(burst)),
            (one, other) => one.or(other),
        }
    }

    /// Goes past the message that [`Turns::peek`] gave.
    pub fn pass(&mut self, plan: &Plan) {
        match (self.next_steady(plan), self.next_burst(plan)) {
            (Some(steady), Some(burst)) if burst < steady => self.burst += self.clients,
            (None, Some(_)) => self.burst += self.clients,
            _ => self.steady += self.clients,
        }
    }

    fn next_steady(&mut self, plan: &Plan) -> Option<f64> {
        if self.steady >= plan.steady {
            return None;
        }
        let number = self.steady as f64;
        while plan.stretches.get(self.at + 1).is_some_and(|next| number >= next.before) {
            self.at += 1;
        }
        let stretch = plan.stretches.get(self.at)?;
        Some(stretch.start + stretch.time_of(number - stretch.before))
    }

    fn next_burst(&self, plan: &Plan) -> Option<f64> {
        let burst = plan.burst?;
        (self.burst < plan.in_bursts()).then(|| (self.burst / burst.messages + 1) as f64 * burst.every)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(plan: &Plan, client: u64, clients: u64) -> Vec<f64> {
        let mut turns = plan.turns(client, clients);
        std::iter::from_fn(|| {
            let due = turns.peek(plan)?;
            turns.pass(plan);
            Some(due)
        })
        .collect()
    }

    #[test]
    fn a_steady_rate_is_even() {
        let plan = Plan::new([Segment { seconds: 2.0, from: 5.0, to: 5.0 }], None);
        let due = times(&plan, 0, 1);
        assert_eq!(due.len(), 10);
        assert!(due.windows(2).all(|pair| (pair[1] - pair[0] - 0.2).abs() < 1e-9), "{due:?}");
    }

    #[test]
    fn a_ramp_has_half_of_its_messages_after_seven_tenths() {
        let plan = Plan::new([Segment { seconds: 10.0, from: 0.0, to: 100.0 }], None);
        assert_eq!(plan.messages(), 500);
        let due = times(&plan, 0, 1);
        assert!((due[250] - 7.071).abs() < 0.01, "{}", due[250]);
        assert!(due[0].abs() < 1e-9 && due.is_sorted(), "{}", due[0]);
        assert!((plan.rate_at(5.0) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn bursts_come_on_top_all_at_once() {
        let burst = Some(Burst { every: 1.0, messages: 3 });
        let plan = Plan::new([Segment { seconds: 3.0, from: 1.0, to: 1.0 }], burst);
        assert_eq!(times(&plan, 0, 1), [0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
    }

    /// Rates, of which many are 0.
    fn rates() -> impl Strategy<Value = f64> {
        prop_oneof![Just(0.0), 0.0f64..50.0]
    }

    proptest! {
        #[test]
        fn clients_share_a_plan_without_gap_or_repeat(
            segments in prop::collection::vec((0.1f64..5.0, rates(), rates()), 1..5),
            burst in prop::option::of((0.3f64..3.0, 1u64..20)),
            clients in 1u64..7,
        ) {
            let segments = segments.into_iter().map(|(seconds, from, to)| Segment { seconds, from, to });
            let burst = burst.map(|(every, messages)| Burst { every, messages });
            let plan = Plan::new(segments, burst);
            let mut all = Vec::new();
            for client in 0..clients {
                let due = times(&plan, client, clients);
                prop_assert!(due.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9), "a client's turns go forward");
                all.extend(due);
            }
            all.sort_by(f64::total_cmp);
            prop_assert_eq!(all.len() as u64, plan.messages());
            let whole = times(&plan, 0, 1);
            prop_assert!(all.iter().zip(&whole).all(|(one, other)| (one - other).abs() < 1e-9));
            prop_assert!(all.iter().all(|due| (0.0..=plan.seconds() + 1e-6).contains(due)));
            // What is due by a time agrees with the rate up to it, give or take one.
            for at in [0.3, 0.6, 0.9] {
                let at = plan.seconds() * at;
                let slices = 10_000;
                let wanted: f64 = (0..slices)
                    .map(|slice| plan.rate_at(at * (f64::from(slice) + 0.5) / f64::from(slices)) * at / f64::from(slices))
                    .sum();
                let bursts = burst.map_or(0.0, |burst| (at / burst.every).floor() * burst.messages as f64);
                let due = all.iter().filter(|due| **due <= at).count() as f64;
                prop_assert!((due - wanted - bursts).abs() <= 2.0, "{due} due, {wanted} + {bursts} wanted");
            }
        }
    }
}
