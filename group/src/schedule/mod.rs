//! Timers: a tick fires once per group.

mod ticks;

pub use ticks::Ticks;
