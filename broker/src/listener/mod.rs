//! From sockets to packets: one task per connection, whatever carries it.

mod accept;
mod bind;
mod connection;
mod handshake;
mod inbound;
mod origin;
#[cfg(test)]
mod panics;
mod pause;
mod shared;
mod slots;
#[cfg(test)]
mod stalled;
mod tls;
mod ws;

pub use bind::{Addresses, Listeners};
pub use shared::Shared;
pub use slots::Slots;
