//! The batch node: messages become sequences.

mod concat;
mod count;
mod interval;
mod node;

pub use node::TYPE;
