//! The sort node: arrays and sequences in order.

mod key;
mod node;
mod order;

pub use node::TYPE;
