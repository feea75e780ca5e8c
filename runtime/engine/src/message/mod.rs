//! Messages and the deliveries that they belong to.

mod ages;
mod delivery;
mod id;
mod latency;
mod msg;

pub use delivery::{Abandoning, Counts, Deliveries, Delivery, Failure, Outcome, STORE_AWAY};
pub use id::generate_id;
pub use latency::{BOUNDS as LATENCY_BOUNDS, Latencies, LatencyCounts};
pub use msg::Msg;
