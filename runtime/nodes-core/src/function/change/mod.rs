//! The change node: sets, changes, deletes and moves properties.

mod node;
mod replace;
mod rule;

pub use node::TYPE;
