//! The store in Redis or Valkey (6.2 or later).
//!
//! Every operation is one run of `store.lua`, so it is atomic and the time that decides is the server's. Changes are
//! published with the number of the one before, so that a reader notices a gap. How much survives a crash of the server
//! is the server's setting: `appendonly yes` with `appendfsync always` loses nothing. Tokens and versions follow the
//! server's clock in microseconds, so that they also grow when the server came back without its last writes.

mod client;
mod error;
mod link;
mod reply;
mod store;
mod watch;

pub(crate) use store::open;
