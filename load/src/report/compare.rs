//! Two runs side by side.

use super::results::Results;
use crate::measure::{Metric, Threshold};

/// A metric in both runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which.
    pub metric: Metric,
    /// In the first run.
    pub before: f64,
    /// In the second.
    pub after: f64,
}

impl Row {
    /// Percent more than before; `None` where there was nothing before.
    pub fn change(&self) -> Option<f64> {
        (self.before != 0.0).then(|| (self.after / self.before - 1.0) * 100.0)
    }

    /// True when the second run is worse by more than `percent`.
    pub fn worse_by(&self, percent: f64) -> bool {
        let change = self.change().unwrap_or(if self.after > self.before { f64::INFINITY } else { 0.0 });
        if self.metric.more_is_better() { change < -percent } else { change > percent }
    }

    /// The change for people.
    pub fn shown_change(&self) -> String {
        match self.change() {
            Some(change) if change.abs() < 0.05 => "=".to_owned(),
            Some(change) => format!("{change:+.1} %"),
            None if self.after == 0.0 => "=".to_owned(),
            None => "new".to_owned(),
        }
    }
}

/// Every metric that one of the runs has.
pub fn rows(before: &Results, after: &Results) -> Vec<Row> {
    Metric::all()
        .map(|metric| Row { metric, before: before.metric(metric), after: after.metric(metric) })
        .filter(|row| row.before != 0.0 || row.after != 0.0 || matches!(row.metric, Metric::Lost | Metric::Errors))
        .collect()
}

/// Conditions that do not hold: on changes (`p99 < +20%`), or on the second run alone.
pub fn failed(before: &Results, after: &Results, thresholds: &[Threshold]) -> Vec<String> {
    let fails = |threshold: &&Threshold| {
        let metric = threshold.metric();
        !threshold.holds(after.metric(metric), after.totals.sent as f64, before.metric(metric))
    };
    thresholds
        .iter()
        .filter(fails)
        .map(|threshold| {
            let metric = threshold.metric();
            let (before, after) = (metric.show(before.metric(metric)), metric.show(after.metric(metric)));
            format!("{threshold} does not hold: {before} before, {after} now")
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn a_regression_fails() {
        let mut before = Results { rate: 1000.0, ..Results::default() };
        before.latency.p99 = 10.0;
        let mut after = before.clone();
        let bounds: Vec<Threshold> = ["p99 < +20%", "rate > -5%", "lost = 0"].map(|text| text.parse().unwrap()).into();
        assert_eq!(failed(&before, &after, &bounds), Vec::<String>::new());
        after.latency.p99 = 12.5;
        after.rate = 900.0;
        after.totals.lost = 1;
        let failed = failed(&before, &after, &bounds);
        assert_eq!(failed.len(), 3, "{failed:?}");
        assert_eq!(failed[0], "p99 < +20% does not hold: 10.0 ms before, 12.5 ms now");
        let row = rows(&before, &after).into_iter().find(|row| row.metric == Metric::P99).unwrap();
        assert!(row.worse_by(5.0) && !row.worse_by(30.0));
        assert_eq!(row.shown_change(), "+25.0 %");
    }
}
