//! Sessions at brokers that outlive their replica, and who finishes them.

mod consumers;
mod kept;
mod sessions;

pub use consumers::Consumers;
pub use kept::{Kept, Orphans};
pub use sessions::{Recorded, Sessions};
