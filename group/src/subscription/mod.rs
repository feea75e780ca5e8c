//! What the flows of a group subscribed to by message.

mod dynamic;

pub use dynamic::{Dynamic, Entry};
