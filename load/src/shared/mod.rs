//! What the clients of a run share: its clock, what was counted, its phase.

mod book;
mod clock;
mod feed;
mod gauge;
mod keys;
mod pulse;
mod snapshot;
mod state;

pub use book::{Book, Event, Step};
pub use clock::Clock;
pub use feed::{Due, Feed, Outgoing};
pub use gauge::{Gauge, peak_memory_mib};
pub use pulse::Pulse;
pub use snapshot::Snapshot;
pub use state::{Phase, Run};
