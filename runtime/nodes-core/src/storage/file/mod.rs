//! The file node: writes, appends to and deletes files.

mod node;
mod writer;

pub use node::TYPE;
