//! The trigger node: sends a message, and another one after a while.

mod config;
mod node;

pub use node::TYPE;
