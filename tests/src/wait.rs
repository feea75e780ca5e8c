//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

use anyhow::bail;

/// Asks until the answer is `Some`, or fails at the deadline with what was waited for.
pub fn eventually<T>(what: &str, deadline: Duration, mut ask: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let until = Instant::now() + deadline;
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if Instant::now() > until {
            bail!("waited {} s in vain for: {what}", deadline.as_secs());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
