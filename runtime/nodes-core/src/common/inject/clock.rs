//! When an inject fires next.

use croner::Cron;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// What is wrong with a cron expression, if anything is.
pub fn cron_fault(text: &str) -> Option<String> {
    text.parse::<Cron>().err().map(|error| error.to_string())
}

/// Intervals beyond this overflow the timers of JavaScript; Node-RED refuses them, in seconds.
pub(super) const LONGEST_SECONDS: f64 = 2_147_483.0;

/// When an inject fires again.
#[derive(Debug)]
pub(super) enum Clock {
    /// Every so many milliseconds, a whole number.
    Every(f64),
    /// By a cron expression, in a time zone. Where its clock goes forward, what falls into the gap fires right after it
    /// (fixed times) or not (wildcards); where it goes back, fixed times fire once, wildcards by the hours that pass.
    Cron(Box<Cron>, TimeZone),
}

impl Clock {
    /// True for intervals: what time of day it is does not matter.
    pub(super) fn is_interval(&self) -> bool {
        matches!(self, Clock::Every(_))
    }

    /// Its rule, for people: `every 5 s`, `cron 0 5 * * * (Europe/Berlin)`.
    pub(super) fn rule(&self) -> String {
        match self {
            Clock::Every(ms) => format!("every {} s", ms / 1000.0),
            Clock::Cron(cron, zone) => {
                let zone = zone.iana_name().map(|name| format!(" ({name})")).unwrap_or_default();
                format!("cron {cron}{zone}")
            }
        }
    }

    /// An interval; less than a millisecond counts as one, as in JavaScript.
    pub(super) fn every(seconds: f64) -> Clock {
        Clock::Every((seconds * 1000.0).trunc().max(1.0))
    }

    /// The first tick after `at`. Intervals are counted from the epoch, so that all replicas mean the same tick.
    pub(super) fn after(&self, at: i64) -> Option<i64> {
        match self {
            Clock::Every(ms) => Some((((at as f64 / ms).floor() + 1.0) * ms) as i64),
            Clock::Cron(cron, zone) => {
                let next = cron.find_next_occurrence(&zoned(at, zone)?, false).ok()?;
                Some(next.timestamp().as_millisecond())
            }
        }
    }

    /// The first tick after `now` for a replica on its own, which counts intervals from its `last` tick. A cron expression's
    /// ticks from `since` to `last` have fired already: when the clock was set back, they do not fire again.
    pub(super) fn after_own(&self, now: i64, since: i64, last: i64) -> Option<i64> {
        match self {
            Clock::Every(ms) => {
                let missed = ((now - last) as f64 / ms).floor().max(0.0);
                Some(last + ((missed + 1.0) * ms) as i64)
            }
            Clock::Cron(..) => match self.after(now)? {
                next if (since..=last).contains(&next) => self.after(last),
                next => Some(next),
            },
        }
    }

    /// The latest tick up to `now`.
    pub(super) fn latest(&self, now: i64) -> Option<i64> {
        match self {
            Clock::Every(ms) => Some(((now as f64 / ms).floor() * ms) as i64),
            Clock::Cron(cron, zone) => {
                let last = cron.find_previous_occurrence(&zoned(now, zone)?, true).ok()?;
                Some(last.timestamp().as_millisecond())
            }
        }
    }
}

fn zoned(ms: i64, zone: &TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone()))
}

/// The time zone of a cron expression: the node's own, else that of the flow's environment (`TZ`), else the system's.
///
/// # Errors
/// Why the node's own cannot be used.
pub(super) fn time_zone(own: Option<&str>, env: Option<&str>) -> Result<TimeZone, jiff::Error> {
    if let Some(own) = own {
        return TimeZone::get(own);
    }
    let env = env.map(|name| name.trim_start_matches(':')).filter(|name| !name.is_empty());
    // As in Node.js: a TZ that nobody knows is no reason to stop.
    Ok(env.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(TimeZone::system))
}
