//! tcp out: bytes to a server, to the connections that it accepts itself, or back on those of tcp in.

mod client;
mod node;
mod reply;
mod server;

pub use node::TYPE;
