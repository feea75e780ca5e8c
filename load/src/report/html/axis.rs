//! Axes with round numbers.

use crate::measure::show_ms;

/// What a value is, for its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Messages a second.
    Rate,
    /// Milliseconds, on a logarithmic axis.
    Latency,
    /// Things.
    Count,
}

/// From values to a share of the axis, 0 to 1.
#[derive(Clone, Debug)]
pub struct Axis {
    low: f64,
    high: f64,
    log: bool,
    /// Values with a line and a label.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// From 0 to a round number above all values; latencies from and to powers of ten.
    pub fn new(unit: Unit, values: impl Iterator<Item = f64> + Clone) -> Axis {
        if unit == Unit::Latency {
            let positive = values.filter(|value| *value > 0.0);
            let low = positive.clone().fold(f64::INFINITY, f64::min);
            let high = positive.fold(0.0, f64::max);
            let (low, high) = if high > 0.0 { (low, high) } else { (0.1, 10.0) };
            let low = 10f64.powf(low.log10().floor());
            let high = 10f64.powf(high.log10().ceil()).max(low * 10.0);
            let decades = (high / low).log10().round() as i32;
            let ticks = (0..=decades).map(|step| low * 10f64.powi(step)).collect();
            return Axis { low, high, log: true, ticks };
        }
        let most = values.fold(0.0, f64::max).max(1.0);
        let step = round_step(most / 4.0, unit == Unit::Count);
        let count = (most / step).ceil().max(1.0);
        Axis {
            low: 0.0,
            high: step * count,
            log: false,
            ticks: (0..=count as usize).map(|n| step * n as f64).collect(),
        }
    }

    /// Of seconds, without room at its end.
    pub fn time(end: f64) -> Axis {
        let end = end.max(1.0);
        let steps =
            [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0];
        let step = steps.into_iter().find(|step| end / step <= 10.0).unwrap_or(86_400.0);
        Axis { low: 0.0, high: end, log: false, ticks: (0..=(end / step) as usize).map(|n| step * n as f64).collect() }
    }

    /// Where a value is.
    pub fn place(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.clamp(0.0, 1.0)
    }
}

/// 1, 2 or 5 times a power of ten, at least `wanted`.
fn round_step(wanted: f64, whole: bool) -> f64 {
    let power = 10f64.powf(wanted.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= wanted);
    let step = step.unwrap_or(wanted);
    if whole { step.max(1.0) } else { step }
}

/// A label.
pub fn label(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Latency => match value {
            value if value >= 1000.0 => format!("{} s", value / 1000.0),
            value if value >= 1.0 => format!("{value:.0} ms"),
            value if value >= 0.001 => format!("{:.0} µs", value * 1000.0),
            value => show_ms(value),
        },
        Unit::Rate | Unit::Count => match value {
            value if value >= 1e6 => format!("{}M", value / 1e6),
            value if value >= 1e3 => format!("{}k", value / 1e3),
            value => format!("{value}"),
        },
    }
}

/// Seconds as a label.
pub fn time_label(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    if seconds >= 120 { format!("{}:{:02}", seconds / 60, seconds % 60) } else { format!("{seconds} s") }
}
