//! Messages that failed for good: kept, shown, run again, discarded.

mod letters;
mod replays;
mod sealed;

pub use letters::{CONTENT, DeadLetters, Kept, MOST};
pub use replays::{Replay, Replays};
