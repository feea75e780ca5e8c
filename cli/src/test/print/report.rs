//! What is printed.

use std::time::Duration;

use flotilla_flow_test::{Failure, Outcome};

/// The results of a tests file.
pub struct Report<'a> {
    /// The file's name.
    pub suite: &'a str,
    /// How each test went.
    pub outcomes: &'a [Outcome],
}

impl Report<'_> {
    /// How many tests failed.
    pub fn failed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| !outcome.passed()).count()
    }

    /// How long all of them took.
    pub fn took(&self) -> Duration {
        self.outcomes.iter().map(|outcome| outcome.took).sum()
    }
}

/// A failure in one line.
pub fn line(failure: &Failure) -> String {
    if failure.place.is_empty() { failure.message.clone() } else { format!("{}: {}", failure.place, failure.message) }
}
