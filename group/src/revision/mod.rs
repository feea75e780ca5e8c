//! Revisions: what a group runs.

mod document;
mod revisions;

pub use document::Revision;
pub use flotilla_api::revision::Given;
pub use revisions::Revisions;
