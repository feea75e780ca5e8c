//! Snapshots of FlowFuse (2.33), as its export writes and its import reads them.
//!
//! Source: `forge/db/controllers/Snapshot.js` and `forge/routes/api/snapshot.js` of FlowFuse.

mod env;
mod read;
mod settings;
mod snapshot;
mod write;

pub use read::is_flowfuse;
pub use settings::Translated;
pub use snapshot::{FlowFuseError, FlowFuseSnapshot, FlowFuseVar};
