//! Topic names and filters: what is valid, what matches.

mod filter;
mod tree;

pub use filter::{Filter, Share};
pub use tree::Tree;
