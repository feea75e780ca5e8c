//! Messages and the deliveries that they belong to.

mod ages;
mod delivery;
mod id;
mod msg;

pub use delivery::{Abandoning, Counts, Deliveries, Delivery, Failure, Outcome, STORE_AWAY};
pub use id::generate_id;
pub use msg::Msg;
