//! Thresholds: `lost = 0`, `p99 < 50ms`, `errors < 0.1%`, and for comparisons `p99 < +20%`.

use std::fmt;
use std::str::FromStr;

use super::metric::Metric;
use crate::span::Span;

/// A condition on a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    metric: Metric,
    relation: Relation,
    bound: Bound,
    text: String,
}

/// How a metric relates to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// What it is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    /// As the metric is counted: a number, milliseconds, or messages a second.
    Value(f64),
    /// A share of what was sent, in percent.
    Percent(f64),
    /// A change against another run, in percent.
    Change(f64),
}

/// Text that is not a threshold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a threshold: {why}. Write for example \"lost = 0\", \"p99 < 50ms\" or \"errors < 0.1%\"")]
pub struct BadThreshold {
    text: String,
    why: String,
}

impl Threshold {
    /// Of which metric.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// True when it compares two runs.
    pub fn compares(&self) -> bool {
        matches!(self.bound, Bound::Change(_))
    }

    /// True when `value` holds. `sent` is what percents are of; `before` the metric of the run that it is compared with.
    pub fn holds(&self, value: f64, sent: f64, before: f64) -> bool {
        let (value, bound) = match self.bound {
            Bound::Value(bound) => (value, bound),
            Bound::Percent(bound) => (if sent > 0.0 { value * 100.0 / sent } else { 0.0 }, bound),
            // What was nothing before may not become something that is worse: every growth of it is without end.
            Bound::Change(bound) if before == 0.0 => (if value == 0.0 { 0.0 } else { f64::INFINITY }, bound),
            Bound::Change(bound) => ((value / before - 1.0) * 100.0, bound),
        };
        match self.relation {
            Relation::Equal => (value - bound).abs() < 1e-9,
            Relation::Less => value < bound,
            Relation::AtMost => value <= bound,
            Relation::More => value > bound,
            Relation::AtLeast => value >= bound,
        }
    }
}

impl FromStr for Threshold {
    type Err = BadThreshold;

    fn from_str(text: &str) -> Result<Threshold, BadThreshold> {
        let bad = |why: String| BadThreshold { text: text.to_owned(), why };
        let at = text.find(['<', '>', '=']).ok_or_else(|| bad("it has none of < <= = >= >".to_owned()))?;
        let (name, rest) = text.split_at(at);
        let (relation, value) = [
            ("<=", Relation::AtMost),
            (">=", Relation::AtLeast),
            ("==", Relation::Equal),
            ("<", Relation::Less),
            (">", Relation::More),
            ("=", Relation::Equal),
        ]
        .into_iter()
        .find_map(|(sign, relation)| Some((relation, rest.strip_prefix(sign)?.trim())))
        .ok_or_else(|| bad("it has none of < <= = >= >".to_owned()))?;
        let metric: Metric = name.trim().parse().map_err(|error: super::metric::BadMetric| bad(error.to_string()))?;
        let bound = bound(metric, value).ok_or_else(|| bad(format!("\"{value}\" does not fit {metric}")))?;
        Ok(Threshold { metric, relation, bound, text: text.trim().to_owned() })
    }
}

fn bound(metric: Metric, text: &str) -> Option<Bound> {
    if let Some(percent) = text.strip_suffix('%') {
        let number: f64 = percent.trim().parse().ok()?;
        return Some(if percent.trim().starts_with(['+', '-']) {
            Bound::Change(number)
        } else if metric.is_count() {
            Bound::Percent(number)
        } else {
            return None;
        });
    }
    if metric.is_latency() {
        // A latency needs its unit: 50 could be seconds as well as milliseconds.
        text.ends_with(|c: char| c.is_ascii_alphabetic()).then_some(())?;
        return Some(Bound::Value(text.parse::<Span>().ok()?.seconds() * 1000.0));
    }
    let text = text.strip_suffix("/s").unwrap_or(text).replace('_', "");
    text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(Bound::Value)
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    fn holds(text: &str, value: f64) -> bool {
        text.parse::<Threshold>().unwrap().holds(value, 1000.0, 100.0)
    }

    #[test]
    fn values_percents_and_changes() {
        assert!(holds("lost = 0", 0.0) && !holds("lost = 0", 1.0));
        assert!(holds("p99 < 50ms", 49.9) && !holds("p99 < 50ms", 50.0));
        assert!(holds("p99<=1.5s", 1500.0) && !holds("p99<=1.5s", 1501.0));
        assert!(holds("errors < 0.1%", 0.0) && !holds("errors < 0.1%", 1.0));
        assert!(holds("rate >= 2_000/s", 2000.0) && !holds("rate >= 2000", 1999.0));
        assert!(holds("p99 < +20%", 119.0) && !holds("p99 < +20%", 121.0));
        assert!(holds("rate > -5%", 96.0) && !holds("rate > -5%", 94.0));
        let nothing_before: Threshold = "errors < +10%".parse().unwrap();
        assert!(!nothing_before.holds(1.0, 1000.0, 0.0) && nothing_before.holds(0.0, 1000.0, 0.0));
    }

    #[test]
    fn what_is_none_is_refused_with_the_reason() {
        for (text, part) in [
            ("lost", "none of"),
            ("losses = 0", "\"losses\""),
            ("p99 < 50", "does not fit p99"),
            ("p99 < 5%", "does not fit p99"),
            ("lost = 5ms", "does not fit lost"),
            ("lost = NaN", "does not fit lost"),
        ] {
            let error = text.parse::<Threshold>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
