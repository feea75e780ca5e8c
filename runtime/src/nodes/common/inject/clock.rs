//! When an inject fires next.

use chrono::{DateTime, Local, TimeZone};
use croner::Cron;

/// Intervals beyond this overflow the timers of JavaScript; Node-RED refuses them, in seconds.
pub(super) const LONGEST_SECONDS: f64 = 2_147_483.0;

/// When an inject fires again.
pub(super) enum Clock {
    /// Every so many milliseconds.
    Every(f64),
    /// By a cron expression, in the process's time zone.
    Cron(Box<Cron>),
}

impl Clock {
    /// The first tick after `now`. In a group, intervals are counted from the epoch, so that all replicas mean the same
    /// tick; alone from `last`.
    pub(super) fn next(&self, now: i64, last: i64, grouped: bool) -> Option<i64> {
        match self {
            Clock::Every(ms) if grouped => Some((((now as f64 / ms).floor() + 1.0) * ms) as i64),
            Clock::Every(ms) => {
                let missed = ((now - last) as f64 / ms).floor().max(0.0);
                Some(last + ((missed + 1.0) * ms) as i64)
            }
            Clock::Cron(cron) => {
                let next = cron.find_next_occurrence(&local(now)?, false).ok()?;
                Some(next.timestamp_millis())
            }
        }
    }

    /// The latest tick up to `now`.
    pub(super) fn latest(&self, now: i64) -> Option<i64> {
        match self {
            Clock::Every(ms) => Some(((now as f64 / ms).floor() * ms) as i64),
            Clock::Cron(cron) => Some(cron.find_previous_occurrence(&local(now)?, true).ok()?.timestamp_millis()),
        }
    }
}

fn local(ms: i64) -> Option<DateTime<Local>> {
    Local.timestamp_millis_opt(ms).earliest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_agree_on_ticks_and_a_lone_one_counts_from_its_start() {
        let clock = Clock::Every(1000.0);
        assert_eq!(clock.next(5_250, 5_200, true), Some(6_000));
        assert_eq!(clock.next(5_250, 5_200, false), Some(6_200));
        assert_eq!(clock.next(9_999, 5_200, false), Some(10_200));
        assert_eq!(clock.latest(5_250), Some(5_000));
        let cron = Clock::Cron(Box::new("*/5 * * * *".parse().unwrap()));
        assert_eq!(cron.next(299_000, 0, true), Some(300_000));
        assert_eq!(cron.latest(301_000), Some(300_000));
    }
}
