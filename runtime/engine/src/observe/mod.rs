//! What a replica tells about itself while it runs.

mod log;
mod observer;

pub use log::{Level, LogEntry};
pub use observer::{Observer, TracingObserver};
