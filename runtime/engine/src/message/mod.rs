//! Messages and the deliveries that they belong to.

mod ages;
mod delivery;
mod id;
mod msg;

pub use delivery::{Abandoning, Counts, Deliveries, Delivery, Failure, Outcome};
pub use id::generate_id;
pub use msg::Msg;
