//! Topic names and filters: what is valid, what matches.

mod children;
mod covers;
mod filter;
mod node;
mod tree;

pub use covers::covers;
pub use filter::{Filter, Share};
pub use tree::Tree;
