//! What all workers of a replica share.

mod config_node;
mod extensions;
mod handle;
mod schedule;
mod shared;

pub use config_node::ConfigNode;
pub use extensions::Extensions;
pub use handle::WorkerHandle;
pub(crate) use handle::{Job, Local, set_local};
pub use schedule::{Alone, Claim, KEEP_START, Schedule, Tick};
pub use shared::Shared;
pub(crate) use shared::SharedParts;
