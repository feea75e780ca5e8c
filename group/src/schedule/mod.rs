//! Timers: a tick fires once per group.

mod fired;
mod ticks;

pub use ticks::{Claimed, Ticks};
