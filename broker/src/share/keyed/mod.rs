//! Keyed delivery: the messages of one key go to one member at a time, in order. Pure: knows no sockets and no sessions.

mod key;
mod keyed;
mod listing;
mod member;
mod shards;
#[cfg(test)]
mod tests;

pub use keyed::{Keyed, Next};
pub use member::Absence;
