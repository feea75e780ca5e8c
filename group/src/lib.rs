//! What makes replicas a group: membership, revisions, rollout, schedule, logs, audit.

pub mod accounts;
pub mod alert;
pub mod audit;
pub mod binary;
mod changes;
mod clock;
pub mod control;
pub mod deadletter;
pub mod desired;
mod digest;
mod driver;
mod error;
pub mod host;
mod keys;
pub mod member;
mod no_place;
pub mod outbox;
pub mod pipeline;
pub mod placement;
mod record;
pub mod relay;
pub mod retained;
pub mod revision;
pub mod rights;
pub mod role;
pub mod rollout;
pub mod rotation;
pub mod schedule;
pub mod scheduler;
pub mod sealing;
pub mod secret;
pub mod session;
pub mod snapshot;
pub mod spec;
pub mod subscription;
#[cfg(test)]
mod test_store;
pub mod trail;
pub mod version;

pub use changes::{Changed, Changes};
pub use driver::Driver;
pub use error::GroupError;
pub use keys::{context_imported, context_prefix, is_of_a_process};
pub use record::WRITTEN as RECORD_FORMAT;
