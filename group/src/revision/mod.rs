//! Revisions: what a group runs.

mod document;
mod revisions;

pub use document::Revision;
pub use revisions::{Given, Revisions};
