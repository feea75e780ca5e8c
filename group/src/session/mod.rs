//! Sessions at brokers that outlive their replica, and who finishes them.

mod consumers;
mod ending;
mod kept;
mod sessions;
mod suspects;

pub use consumers::Consumers;
pub use ending::{ENDING, Ending};
pub use kept::{Kept, Orphans, Suspect};
pub use sessions::{Recorded, Sessions};
