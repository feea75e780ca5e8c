//! The change node: sets, changes, deletes and moves properties.

mod aliases;
mod node;
mod replace;
mod rule;

pub use node::TYPE;
