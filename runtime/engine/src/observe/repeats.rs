//! A failure that repeats is one line, then a count now and then, and one line when it is over.

use std::fmt;
use std::time::{Duration, Instant};

use crate::clock::now_ms;

/// Counts come so long after the first failure, then every hour.
const COUNTS: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(300), Duration::from_secs(900)];
/// And every so often from then on.
const HOURLY: Duration = Duration::from_secs(3600);
/// What fails again so soon after it was back has not been back.
const STEADY: Duration = Duration::from_secs(60);
/// What was told last is not wrong for longer than about this.
const BEHIND: Duration = Duration::from_secs(120);

/// Follows something that may fail over and over, like a connection that is tried again: says what is worth a line.
#[derive(Debug, Default)]
pub struct Repeats {
    trouble: Option<Trouble>,
    /// It was told that it works.
    well: bool,
}

/// Failures without a steady time between them.
#[derive(Debug)]
struct Trouble {
    began: Instant,
    began_ms: f64,
    failures: u64,
    counts: u32,
    /// When it last was worth a line.
    told: Instant,
    /// That line said that it is back.
    told_back: bool,
    /// The reason in the last line about a failure.
    told_why: String,
    /// Since when it is back.
    back: Option<Instant>,
    /// It was back before, and failed again.
    flaps: bool,
}

/// What a failure is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// A line of its own: it is the first.
    First,
    /// A line that counts those so far, in words: `60 times since 10:02:03 UTC, last: REASON`.
    Count(String),
    /// No line.
    Again,
}

/// What it is worth that it is back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// A line like any other: it works for the first time, and nothing had failed.
    Well,
    /// A line with how long it took, in words: `(after 12 s, 5 failures)`.
    After(String),
    /// No line: it comes and goes, or nothing had failed since it was told.
    Again,
}

/// Seconds, minutes and hours, the two that matter.
struct Lasted(Duration);

impl fmt::Display for Lasted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..60 => write!(f, "{seconds} s"),
            60..3600 => write!(f, "{} min {} s", seconds / 60, seconds % 60),
            _ => write!(f, "{} h {} min", seconds / 3600, seconds / 60 % 60),
        }
    }
}

/// `10:02:03 UTC`, of milliseconds since the epoch.
fn time_of_day(ms: f64) -> String {
    let seconds = (ms / 1000.0) as u64 % 86_400;
    format!("{:02}:{:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

impl Trouble {
    fn begin(why: &str, now: Instant, now_ms: f64) -> Trouble {
        Trouble {
            began: now,
            began_ms: now_ms,
            failures: 1,
            counts: 0,
            told: now,
            told_back: false,
            told_why: why.to_owned(),
            back: None,
            flaps: false,
        }
    }

    /// When the next count is due.
    fn next_count(&self) -> Instant {
        let known = usize::try_from(self.counts).ok().and_then(|at| COUNTS.get(at).copied());
        self.began + known.unwrap_or_else(|| HOURLY * (self.counts + 1).saturating_sub(COUNTS.len() as u32))
    }

    /// Whether this failure is worth a count: one is due, or what was told last is not true any more.
    fn is_due(&mut self, why: &str, now: Instant) -> bool {
        let is_wrong = self.told_back || self.told_why != why;
        let mut is_due = is_wrong && now.duration_since(self.told) >= BEHIND;
        // Counts that came due while nothing failed are one.
        while self.next_count() <= now {
            self.counts += 1;
            is_due = true;
        }
        is_due
    }
}

impl Repeats {
    /// It failed, and why.
    pub fn failed(&mut self, why: &str) -> Failed {
        self.failed_at(why, Instant::now(), now_ms())
    }

    fn failed_at(&mut self, why: &str, now: Instant, now_ms: f64) -> Failed {
        let lasting =
            self.trouble.take().filter(|trouble| trouble.back.is_none_or(|back| now.duration_since(back) < STEADY));
        let Some(mut trouble) = lasting else {
            self.trouble = Some(Trouble::begin(why, now, now_ms));
            return Failed::First;
        };
        trouble.failures += 1;
        trouble.flaps |= trouble.back.take().is_some();
        let failed = if trouble.is_due(why, now) {
            (trouble.told, trouble.told_back) = (now, false);
            why.clone_into(&mut trouble.told_why);
            Failed::Count(format!("{} times since {}, last: {why}", trouble.failures, time_of_day(trouble.began_ms)))
        } else {
            Failed::Again
        };
        self.trouble = Some(trouble);
        failed
    }

    /// It works.
    pub fn back(&mut self) -> Back {
        self.back_at(Instant::now())
    }

    fn back_at(&mut self, now: Instant) -> Back {
        let was_told = std::mem::replace(&mut self.well, true);
        let Some(trouble) = self.trouble.as_mut().filter(|trouble| trouble.back.is_none()) else {
            return if was_told { Back::Again } else { Back::Well };
        };
        trouble.back = Some(now);
        if trouble.flaps && trouble.told_back && now.duration_since(trouble.told) < STEADY {
            return Back::Again;
        }
        (trouble.told, trouble.told_back) = (now, true);
        let failures = if trouble.failures == 1 { "failure" } else { "failures" };
        let lasted = Lasted(now.duration_since(trouble.began));
        Back::After(format!("(after {lasted}, {} {failures})", trouble.failures))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 10:02:03 on some day.
    const MORNING: f64 = 86_400_000.0 * 20_000.0 + 36_123_000.0;

    #[test]
    fn one_line_then_counts_at_growing_intervals_and_one_when_it_is_back() {
        let (mut repeats, began) = (Repeats::default(), Instant::now());
        let after = |seconds: u64| began + Duration::from_secs(seconds);
        assert_eq!([repeats.back_at(began), repeats.back_at(began)], [Back::Well, Back::Again]);
        assert_eq!(repeats.failed_at("refused", began, MORNING), Failed::First);
        // It is tried every 10 s for three hours and a half.
        let counted: Vec<u64> = (10..12_600)
            .step_by(10)
            .filter(|at| repeats.failed_at("refused", after(*at), 0.0) != Failed::Again)
            .collect();
        assert_eq!(counted, [60, 300, 900, 3600, 7200, 10_800]);
        let all = repeats.failed_at("reset", after(14_400), 0.0);
        assert_eq!(all, Failed::Count("1261 times since 10:02:03 UTC, last: reset".to_owned()));
        assert_eq!(repeats.back_at(after(14_405)), Back::After("(after 4 h 0 min, 1261 failures)".to_owned()));
        assert_eq!(repeats.back_at(after(14_406)), Back::Again);
        // Steady for a minute: the next one is the first again.
        assert_eq!(repeats.failed_at("refused", after(14_466), MORNING), Failed::First);
        assert_eq!(repeats.back_at(after(14_468)), Back::After("(after 2 s, 1 failure)".to_owned()));
    }

    #[test]
    fn what_comes_and_goes_is_a_few_lines_a_minute() {
        let (mut repeats, began) = (Repeats::default(), Instant::now());
        let mut lines = 0;
        for at in (0..600).step_by(2) {
            let at = began + Duration::from_secs(at);
            lines += u32::from(repeats.failed_at("thrown out", at, MORNING) != Failed::Again);
            lines += u32::from(repeats.back_at(at + Duration::from_secs(1)) != Back::Again);
        }
        assert!((4..=16).contains(&lines), "{lines} lines in 10 minutes of 300 failures");
    }

    #[test]
    fn what_fails_again_after_it_was_told_to_be_back_is_told_soon() {
        let (mut repeats, began) = (Repeats::default(), Instant::now());
        let after = |seconds: u64| began + Duration::from_secs(seconds);
        for at in (0..1800).step_by(10) {
            repeats.failed_at("refused", after(at), MORNING);
        }
        assert_eq!(repeats.back_at(after(1800)), Back::After("(after 30 min 0 s, 180 failures)".to_owned()));
        let told: Vec<u64> = (1830..2400)
            .step_by(10)
            .filter(|at| matches!(repeats.failed_at("refused", after(*at), 0.0), Failed::Count(_)))
            .collect();
        assert_eq!(told, [1920]);
    }

    #[test]
    fn the_last_line_says_that_it_is_back_when_it_is() {
        let (mut repeats, began) = (Repeats::default(), Instant::now());
        let after = |seconds: u64| began + Duration::from_secs(seconds);
        assert_eq!(repeats.failed_at("refused", after(0), MORNING), Failed::First);
        assert_eq!(repeats.back_at(after(1)), Back::After("(after 1 s, 1 failure)".to_owned()));
        assert_eq!(repeats.failed_at("refused", after(2), 0.0), Failed::Again);
        assert!(matches!(repeats.failed_at("refused", after(60), 0.0), Failed::Count(_)));
        assert_eq!(repeats.back_at(after(61)), Back::After("(after 1 min 1 s, 3 failures)".to_owned()));
    }

    #[test]
    fn another_reason_is_told_soon() {
        let (mut repeats, began) = (Repeats::default(), Instant::now());
        let mut told = Vec::new();
        for at in (0..1800).step_by(10) {
            let why = if at < 910 { "refused" } else { "reset" };
            let failed = repeats.failed_at(why, began + Duration::from_secs(at), MORNING);
            if let Failed::Count(text) = failed {
                told.push((at, text.ends_with("last: reset")));
            }
        }
        assert_eq!(told, [(60, false), (300, false), (900, false), (1020, true)]);
    }

    #[test]
    fn counts_that_are_overdue_are_one() {
        let (mut repeats, began) = (Repeats::default(), Instant::now());
        repeats.failed_at("refused", began, MORNING);
        assert!(matches!(repeats.failed_at("refused", began + Duration::from_secs(4000), 0.0), Failed::Count(_)));
        assert_eq!(repeats.failed_at("refused", began + Duration::from_secs(4001), 0.0), Failed::Again);
    }
}
