//! What every process of Flotilla has: health and metrics, and signals.

mod deadline;
mod door;
mod merge;
mod metrics;
mod notify;
mod ops;
mod signals;

pub use deadline::end_after;
pub use metrics::Metrics;
pub use notify::{READY, STOPPING, notify};
pub use ops::{Ops, Readiness};
pub use signals::Shutdown;
