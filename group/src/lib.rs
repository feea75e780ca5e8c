//! What makes replicas a group: membership, revisions, rollout, schedule, logs, audit.

mod error;
mod keys;
pub mod member;
pub mod revision;
pub mod schedule;

pub use error::GroupError;
