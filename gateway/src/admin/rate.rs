//! How many requests somebody may send: enough for any tool, not enough to keep others waiting.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use flotilla_api::Problem;
use parking_lot::Mutex;

/// Requests a second in the long run.
const A_SECOND: f64 = 200.0;
/// And at once.
const BURST: f64 = 1_000.0;
/// So many callers are told apart; beyond that those that are idle are forgotten.
const MOST: usize = 10_000;

/// What each caller has left.
#[derive(Default)]
pub(super) struct Rate {
    left: Mutex<HashMap<String, Allowance>>,
}

struct Allowance {
    requests: f64,
    at: Instant,
}

impl Rate {
    /// Takes one request of a caller's.
    ///
    /// # Errors
    /// `slow_down` (429), with when there is one again.
    pub(super) fn take(&self, who: &str) -> Result<(), Problem> {
        self.take_at(who, Instant::now())
    }

    fn take_at(&self, who: &str, now: Instant) -> Result<(), Problem> {
        let mut all = self.left.lock();
        if all.len() >= MOST && !all.contains_key(who) {
            let full = Duration::from_secs_f64(BURST / A_SECOND);
            all.retain(|_, left| now.duration_since(left.at) < full);
        }
        let left = all.entry(who.to_owned()).or_insert(Allowance { requests: BURST, at: now });
        let more = now.duration_since(left.at).as_secs_f64() * A_SECOND;
        *left = Allowance { requests: (left.requests + more).min(BURST), at: now };
        if left.requests < 1.0 {
            let detail = format!("{who} sends more than {A_SECOND} requests a second: try again in a second");
            return Err(Problem::new(429, "slow_down", detail).retry_after(1));
        }
        left.requests -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_a_flood_does_not() {
        let (rate, start) = (Rate::default(), Instant::now());
        for _ in 0..1_000 {
            assert!(rate.take_at("ann", start).is_ok());
        }
        let problem = rate.take_at("ann", start).unwrap_err();
        assert_eq!((problem.status, problem.retry_after_s.map(std::num::NonZero::get)), (429, Some(1)));
        assert!(rate.take_at("bob", start).is_ok(), "others are not concerned");
        let later = start + Duration::from_secs(1);
        assert_eq!((0..1_000).filter(|_| rate.take_at("ann", later).is_ok()).count(), 200);
    }
}
