//! The inject node: starts a flow by hand, at intervals, by the calendar, or once.

mod clock;
#[cfg(test)]
mod clock_tests;
mod node;
mod timer;

pub use clock::cron_fault;
pub use node::{TYPE, inject_now, press};
