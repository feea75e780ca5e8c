//! Sessions at brokers that outlive their replica, and who finishes them.

mod kept;
mod sessions;

pub use kept::Kept;
pub use sessions::Sessions;
