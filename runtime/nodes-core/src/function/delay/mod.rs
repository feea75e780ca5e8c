//! The delay node: holds messages for a time, or limits their rate.

mod burst;
mod config;
mod hold;
mod queue;
mod rate;
mod timers;

pub use config::TYPE;
pub(in crate::function) use timers::Timer;
