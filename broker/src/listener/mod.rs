//! From sockets to packets: one task per connection, whatever carries it.

mod connection;
mod handshake;
mod inbound;
mod pause;
mod shared;
mod tcp;

pub use shared::Shared;
pub use tcp::{bind, serve};
