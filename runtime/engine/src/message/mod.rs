//! Messages and the deliveries that they belong to.

mod ages;
mod deliveries;
mod delivery;
mod id;
mod latency;
mod msg;

pub use deliveries::{Counts, Deliveries};
pub use delivery::{Abandoning, Delivery, Failure, Outcome, STORE_AWAY};
pub use id::generate_id;
pub use latency::{BOUNDS as LATENCY_BOUNDS, Latencies, LatencyCounts};
pub use msg::Msg;
