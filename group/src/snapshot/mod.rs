//! Snapshots: revisions with a name.

mod snapshots;

pub use flotilla_api::snapshot::Snapshot;
pub use snapshots::Snapshots;
