//! The log lines of all replicas, collected into bounded files of this gateway.

mod collect;
mod files;
mod follower;
mod merge;
mod query;
mod retain;
mod segment;
mod sources;

pub use collect::collect;
pub use files::{LogFiles, OpenError, Snapshot};
pub use follower::Follower;
pub use query::{Query, page, page_of};
pub use retain::Retention;
pub use sources::Sources;
