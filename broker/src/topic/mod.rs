//! Topic names and filters: what is valid, what matches.

mod covers;
mod filter;
mod tree;

pub use covers::covers;
pub use filter::{Filter, Share};
pub use tree::Tree;
