//! `flotilla snapshot`: revisions with a name.

mod run;
mod write;

pub use run::{SnapshotArgs, run};
