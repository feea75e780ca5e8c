//! Worker threads, and the nodes that live there.

mod listeners;
mod routing;
mod run_queue;
mod slot;
mod stop;
mod subflow;

pub use run_queue::Worker;
pub use slot::Slot;
pub(crate) use slot::panicked;
pub(crate) use subflow::{SUBFLOW, SUBFLOW_STATUS};
