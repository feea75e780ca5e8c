//! exec: runs a command of the operating system.

mod buffered;
mod command;
mod node;
mod output;
mod running;
mod signal;
mod streamed;

pub use node::TYPE;
