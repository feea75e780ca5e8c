//! Connections whose peer has to read.
//!
//! [`show_progress`] makes the system tell early what a peer has taken. [`Patient`] cuts off a peer that takes nothing.

mod patient;
mod progress;
#[cfg(test)]
mod slow_peers;

pub use patient::{Patient, STALLED};
pub use progress::{PIECE, show_progress};
