//! The client of the admin API.

mod accounts;
mod alerts;
mod context;
mod deadletters;
mod deploys;
mod error;
mod events;
mod groups;
mod key;
mod logs;
mod nodes;
mod pipelines;
mod placement;
mod revisions;
mod snapshots;
mod sse;
mod tls;
mod trails;
mod transfers;
mod transport;
mod upgrades;

pub use error::ClientError;
pub use events::Events;
pub use sse::Event;
pub use tls::{ClientTls, authorities};
pub use transport::{AGENT, Client, Versioned};
