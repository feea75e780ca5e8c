//! Snapshots of FlowFuse (2.33), as its export writes and its import reads them.
//!
//! Source: `forge/db/controllers/Snapshot.js` and `forge/routes/api/snapshot.js` of FlowFuse.

mod env;
mod project_links;
mod read;
mod settings;
mod snapshot;
mod write;

pub use project_links::take_project_broker;
pub use read::is_flowfuse;
pub use settings::Translated;
pub use snapshot::{FlowFuseError, FlowFuseSnapshot, FlowFuseVar};
