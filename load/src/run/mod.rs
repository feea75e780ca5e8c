//! A run: what its clients share, how it begins and ends, what it counts.

mod book;
mod client;
mod clock;
mod feed;
mod gauge;
mod keys;
mod pulse;
mod runner;
mod snapshot;
mod state;
mod steps;

pub use book::Event;
pub use client::Client;
pub use feed::{Due, Feed, Outgoing};
pub use pulse::Pulse;
pub use runner::{Beside, Handle, Options, RunError, run};
pub use snapshot::Snapshot;
pub use state::{Phase, Run};
