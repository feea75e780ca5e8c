//! Deploys: what runs, what restarts, and where.

mod config_slot;
mod engine;
mod place;
mod plan;
mod report;
mod start;

pub use engine::{Engine, EngineParts};
pub use flotilla_flows::{ALLOW_UNKNOWN, DeployType as DeployMode};
pub use report::{DeployError, DeployReport};
pub use start::Credentials;
