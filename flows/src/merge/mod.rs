//! Two people's changes of one flow document, joined node by node and field by field.

mod conflict;
mod documents;
mod entry;
mod lists;

pub use conflict::Conflict;
pub use documents::{Merged, merge};
