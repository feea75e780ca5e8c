//! Revisions: what a group runs.

mod change;
mod compare;
mod document;
mod revisions;
mod transfer;

pub use change::RevisionChange;
pub use document::Revision;
pub use flotilla_api::revision::Given;
pub use revisions::{Recorded, Revisions};
