//! The html node: parts of an HTML document by selector.

mod node;
mod query;
mod render;
mod select;

pub use node::TYPE;
