//! The join node: a sequence becomes one message.

mod config;
mod group;
mod node;
mod reduce;

pub use node::TYPE;
