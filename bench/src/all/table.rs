//! Values of several sides, measured by turns.

use std::path::PathBuf;
use std::time::Instant;

use crate::report::{median, say};

/// What is measured, and whether more of it is better.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// "messages/s".
    pub unit: &'static str,
    /// More is better.
    pub more: bool,
}

/// A rate.
pub const fn rate(unit: &'static str) -> Metric {
    Metric { unit, more: true }
}

/// A cost, a delay, a size.
pub const fn cost(unit: &'static str) -> Metric {
    Metric { unit, more: false }
}

/// One side's rounds.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// A value a round.
    pub values: Vec<f64>,
    /// Why it did not get through.
    pub failed: Option<String>,
}

impl Side {
    /// The middle of its rounds; `None` without one.
    pub fn median(&self) -> Option<f64> {
        (!self.values.is_empty()).then(|| median(&self.values))
    }

    /// The least and the most.
    pub fn spread(&self) -> Option<(f64, f64)> {
        let least = self.values.iter().copied().reduce(f64::min)?;
        let most = self.values.iter().copied().reduce(f64::max)?;
        Some((least, most))
    }
}

/// Who the sides of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Flotilla is the first, and others do the same.
    Rivals,
    /// All are Flotilla, set up differently.
    Variants,
    /// Each value is a difference from another side already.
    Differences,
}

/// What one table shows.
#[derive(Clone, Debug)]
pub struct Case {
    /// Who they are.
    pub who: Sides,
    /// What was done.
    pub name: String,
    /// What was measured.
    pub metric: Metric,
    /// The sides.
    pub sides: Vec<Side>,
}

/// A comparison.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// For `--only`.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// How it was measured.
    pub about: String,
    /// Tables.
    pub cases: Vec<Case>,
    /// What was left out, and why.
    pub skipped: Vec<(String, String)>,
}

impl Section {
    /// Leaves something out.
    pub fn skip(&mut self, what: &str, why: impl std::fmt::Display) {
        say(&format!("  skipped {what}: {why}"));
        self.skipped.push((what.to_owned(), why.to_string()));
    }
}

/// How the name of an older build begins.
pub const OLD: &str = "old: ";

/// Rounds, the end of the time, and which binaries.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The binary of this build, and an older one beside it if one was given: what a table calls each, and where it is.
    pub builds: &'a [(String, PathBuf)],
    /// Rounds of each side.
    pub rounds: usize,
    /// No round begins after this.
    pub until: Instant,
    /// Share of the usual messages of a round.
    pub scale: f64,
}

impl Plan<'_> {
    /// So many messages, scaled.
    pub fn messages(&self, usual: usize) -> usize {
        ((usual as f64 * self.scale) as usize).max(200)
    }
}

/// Measures one round of a side: a value for each metric.
pub type Measure<'a> = Box<dyn FnMut() -> anyhow::Result<Vec<f64>> + 'a>;

/// All sides by turns. A side that fails once is left out from there on, and its table says why.
pub fn by_turns(plan: Plan<'_>, name: &str, metrics: &[Metric], mut sides: Vec<(String, Measure<'_>)>) -> Vec<Case> {
    let side = |name: &String| Side { name: name.clone(), values: Vec::new(), failed: None };
    let mut cases: Vec<Case> = metrics
        .iter()
        .map(|metric| Case {
            who: Sides::Rivals,
            name: name.to_owned(),
            metric: *metric,
            sides: sides.iter().map(|(name, _)| side(name)).collect(),
        })
        .collect();
    for round in 0..plan.rounds {
        if Instant::now() > plan.until && round > 0 {
            break;
        }
        for (at, (_, measure)) in sides.iter_mut().enumerate() {
            if cases[0].sides[at].failed.is_some() {
                continue;
            }
            match measure() {
                Ok(values) => {
                    cases.iter_mut().zip(values).for_each(|(case, value)| case.sides[at].values.push(value));
                }
                Err(error) => {
                    cases.iter_mut().for_each(|case| case.sides[at].failed = Some(format!("{error:#}")));
                }
            }
        }
    }
    for case in &cases {
        for side in &case.sides {
            let value = side.median().map_or("-".to_owned(), |value| format!("{value:.2}"));
            let failed = side.failed.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
            say(&format!("  {name}: {:28} {value} {}{failed}", side.name, case.metric.unit));
        }
    }
    cases
}

/// The same where all sides are Flotilla: none of them is ahead or behind.
pub fn variants(plan: Plan<'_>, name: &str, metrics: &[Metric], sides: Vec<(String, Measure<'_>)>) -> Vec<Case> {
    let cases = by_turns(plan, name, metrics, sides).into_iter();
    cases.map(|case| Case { who: Sides::Variants, ..case }).collect()
}
