//! How a test went.

use std::time::Duration;

/// How a test went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The test's name.
    pub name: String,
    /// What went wrong; empty when it passed.
    pub failures: Vec<Failure>,
    /// What nodes logged as warnings and errors, for those who look for the reason.
    pub log: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its place in the test, for example `expect[0]`; empty for what no expectation speaks of.
    pub place: String,
    /// What is wrong, in one line.
    pub message: String,
    /// What there was instead, a line each.
    pub found: Vec<String>,
}

impl Outcome {
    /// True when nothing went wrong.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}
