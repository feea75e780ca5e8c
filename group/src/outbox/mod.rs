//! Messages that a flow publishes and that nobody could publish again.

mod kept;

pub use kept::Outbox;
