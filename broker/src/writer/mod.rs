//! From the router to the file and back: restores the router, then writes what it records.

mod start;
mod thread;

pub use start::{Writer, restore};
