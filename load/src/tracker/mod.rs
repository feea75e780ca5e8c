//! Which messages were lost, repeated or out of order. Pure.

mod chunk;
mod finding;
mod key;
#[cfg(test)]
mod model;
mod totals;
mod tracker;

pub use finding::{Finding, Findings};
pub use totals::Totals;
pub use tracker::{KeyKind, Received, Tracker};
