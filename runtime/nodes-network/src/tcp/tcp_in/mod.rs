//! tcp in: bytes from connections that are accepted, or from one that is made.

mod client;
mod node;
mod server;

pub use node::TYPE;
