//! The client of the admin API.

mod accounts;
mod context;
mod deadletters;
mod deploys;
mod error;
mod groups;
mod path;
mod pipelines;
mod revisions;
mod snapshots;
mod transport;

pub use error::ClientError;
pub use transport::{AGENT, Client};
