//! Faults on a group that was named, while a run goes on.

mod command;
mod compose;
mod group;
mod schedule;
mod up;

pub use group::GroupError;
pub use schedule::schedule;
