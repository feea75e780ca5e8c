//! Waits made of numbers that a flow or a setting has.

use std::time::Duration;

/// The longest wait, in milliseconds: 126 years. Added to any clock it is still a time.
const LONGEST_MS: f64 = 4e12;

/// Milliseconds as a wait, whatever the number is: below 0 and NaN is none, and what is longer than 126 years (`Infinity`
/// among it) is cut to that. `Duration::from_secs_f64` and `Instant + Duration` panic on such numbers.
///
/// ```
/// use flotilla_value::wait_ms;
///
/// assert_eq!(wait_ms(1500.0).as_secs_f64(), 1.5);
/// assert_eq!(wait_ms(f64::NAN).as_millis(), 0);
/// assert!(std::time::Instant::now().checked_add(wait_ms(f64::INFINITY)).is_some());
/// ```
pub fn wait_ms(ms: f64) -> Duration {
    let ms = if ms > 0.0 { ms.min(LONGEST_MS) } else { 0.0 };
    Duration::from_secs_f64(ms / 1000.0)
}

/// As [`wait_ms`], of seconds.
pub fn wait_seconds(seconds: f64) -> Duration {
    wait_ms(seconds * 1000.0)
}
