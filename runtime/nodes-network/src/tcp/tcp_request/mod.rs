//! tcp request: sends a message's payload to a server and waits for what it answers.

mod config;
mod exchange;
mod node;
mod peer;

pub use node::TYPE;
