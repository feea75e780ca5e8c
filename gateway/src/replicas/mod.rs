//! The replicas, asked one by one: what each of them knows alone.

mod ask;
mod follow;

pub use ask::{Control, Replies};
pub use follow::{Following, Heard, follow};
