//! Numbers of seconds that make sense: a replica that refuses its arguments would be started again and again.

use std::ops::RangeInclusive;

/// `--lease`: shorter ones are lost in a moment of load, longer ones leave the dead among the living.
const LEASE: RangeInclusive<f64> = 0.5..=3600.0;
/// `--drain-timeout`.
const DRAIN: RangeInclusive<f64> = 0.0..=86_400.0;

fn seconds(text: &str, range: &RangeInclusive<f64>) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("it must be a number of seconds from {} to {}", range.start(), range.end()))
}

/// Seconds of a lease.
pub(super) fn lease_seconds(text: &str) -> Result<f64, String> {
    seconds(text, &LEASE)
}

/// Seconds of a drain.
pub(super) fn drain_seconds(text: &str) -> Result<f64, String> {
    seconds(text, &DRAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused() {
        for bad in ["0", "-1", "0.4", "nan", "inf", "1e9", "five", ""] {
            assert!(lease_seconds(bad).is_err(), "{bad}");
        }
        for bad in ["-1", "nan", "inf", "1e9", ""] {
            assert!(drain_seconds(bad).is_err(), "{bad}");
        }
        assert_eq!((lease_seconds("0.5"), drain_seconds("0")), (Ok(0.5), Ok(0.0)));
    }
}
