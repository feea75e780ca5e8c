//! What every process of Flotilla has: health and metrics, and signals.

mod ops;
mod signals;

pub use ops::{Ops, Readiness};
pub use signals::Shutdown;
