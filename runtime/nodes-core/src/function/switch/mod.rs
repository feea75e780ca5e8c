//! The switch node: sends messages on by rules.

mod compare;
mod node;
mod rule;
mod sequence;

pub use node::TYPE;
