//! The store in a file: SQLite, several processes of one machine at once.
//!
//! Each write is one `BEGIN IMMEDIATE` transaction, so SQLite's write lock orders them. Versions, tokens and the watch's
//! positions all come from one counter (`meta.seq`). All processes are on one machine, and leases are measured on a clock that
//! nobody sets (`clock.rs`). A
//! committed write survives the death of any process; a power cut may take the last ones (`synchronous = NORMAL`).

mod clock;
mod connection;
mod error;
mod file;
mod lease;
mod ops;
mod store;
mod sweep;
mod watch;

pub(crate) use store::open;

#[cfg(test)]
mod tests;
