//! The names that thresholds and comparisons use.

use std::fmt;
use std::str::FromStr;

use super::latency::Percentiles;
use crate::tracker::Totals;

/// A number that a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are what Totals and Percentiles document")]
pub enum Metric {
    Sent,
    Confirmed,
    Received,
    Lost,
    Unconfirmed,
    Repeated,
    OutOfOrder,
    /// [`Totals::stale`].
    Stale,
    Resent,
    Errors,
    Reconnects,
    /// Outputs (or answers) a second.
    Rate,
    P50,
    P90,
    P99,
    P999,
    P9999,
    Max,
}

/// Name and metric, in the order in which they are shown.
const NAMES: [(&str, Metric); 18] = [
    ("sent", Metric::Sent),
    ("confirmed", Metric::Confirmed),
    ("received", Metric::Received),
    ("lost", Metric::Lost),
    ("unconfirmed", Metric::Unconfirmed),
    ("repeated", Metric::Repeated),
    ("out_of_order", Metric::OutOfOrder),
    ("stale", Metric::Stale),
    ("resent", Metric::Resent),
    ("errors", Metric::Errors),
    ("reconnects", Metric::Reconnects),
    ("rate", Metric::Rate),
    ("p50", Metric::P50),
    ("p90", Metric::P90),
    ("p99", Metric::P99),
    ("p99.9", Metric::P999),
    ("p99.99", Metric::P9999),
    ("max", Metric::Max),
];

/// A name that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no metric \"{0}\"; there are {all}", all = NAMES.map(|(name, _)| name).join(", "))]
pub struct BadMetric(String);

impl Metric {
    /// All, in the order in which they are shown.
    pub fn all() -> impl Iterator<Item = Metric> {
        NAMES.into_iter().map(|(_, metric)| metric)
    }

    /// Counted in messages.
    pub fn is_count(self) -> bool {
        !self.is_latency() && self != Metric::Rate
    }

    /// Measured in milliseconds.
    pub fn is_latency(self) -> bool {
        matches!(self, Metric::P50 | Metric::P90 | Metric::P99 | Metric::P999 | Metric::P9999 | Metric::Max)
    }

    /// True where more is better.
    pub fn more_is_better(self) -> bool {
        matches!(self, Metric::Sent | Metric::Confirmed | Metric::Received | Metric::Rate)
    }

    /// Its value.
    pub fn of(self, totals: &Totals, latency: &Percentiles, rate: f64) -> f64 {
        let count = match self {
            Metric::Sent => totals.sent,
            Metric::Confirmed => totals.confirmed,
            Metric::Received => totals.received,
            Metric::Lost => totals.lost,
            Metric::Unconfirmed => totals.unconfirmed,
            Metric::Repeated => totals.repeated,
            Metric::OutOfOrder => totals.out_of_order,
            Metric::Stale => totals.stale,
            Metric::Resent => totals.resent,
            Metric::Errors => totals.errors,
            Metric::Reconnects => totals.reconnects,
            Metric::Rate => return rate,
            Metric::P50 => return latency.p50,
            Metric::P90 => return latency.p90,
            Metric::P99 => return latency.p99,
            Metric::P999 => return latency.p999,
            Metric::P9999 => return latency.p9999,
            Metric::Max => return latency.max,
        };
        count as f64
    }

    /// A value of it, for people.
    pub fn show(self, value: f64) -> String {
        if self.is_latency() {
            show_ms(value)
        } else if self == Metric::Rate {
            format!("{}/s", group_digits(value.round() as u64))
        } else {
            group_digits(value.round() as u64)
        }
    }
}

/// Milliseconds for people: three digits that count.
pub fn show_ms(ms: f64) -> String {
    match ms {
        ms if ms >= 10_000.0 => format!("{:.1} s", ms / 1000.0),
        ms if ms >= 1000.0 => format!("{:.2} s", ms / 1000.0),
        ms if ms >= 100.0 => format!("{ms:.0} ms"),
        ms if ms >= 10.0 => format!("{ms:.1} ms"),
        ms if ms >= 0.1 || ms == 0.0 => format!("{ms:.2} ms"),
        ms => format!("{ms:.3} ms"),
    }
}

/// `1234567` as `1,234,567`.
pub fn group_digits(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

impl FromStr for Metric {
    type Err = BadMetric;

    fn from_str(text: &str) -> Result<Metric, BadMetric> {
        let found = NAMES.into_iter().find(|(name, _)| *name == text).map(|(_, metric)| metric);
        found
            .or(match text {
                "p999" => Some(Metric::P999),
                "p9999" => Some(Metric::P9999),
                _ => None,
            })
            .ok_or_else(|| BadMetric(text.to_owned()))
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.into_iter().find(|(_, metric)| metric == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}
