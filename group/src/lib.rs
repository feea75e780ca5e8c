//! What makes replicas a group: membership, revisions, rollout, schedule, logs, audit.

pub mod audit;
pub mod course;
mod error;
mod keys;
pub mod member;
pub mod revision;
pub mod rollout;
pub mod schedule;
pub mod session;
pub mod spec;

pub use error::GroupError;
