//! The clock that nodes read.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch, as `Date.now()`.
pub fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_millis() as f64)
}
