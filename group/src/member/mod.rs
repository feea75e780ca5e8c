//! Membership: which replicas are there, and what they say of themselves.

mod gateways;
mod record;
mod registration;
mod registry;

pub use gateways::Gateways;
pub use record::{ReplicaRecord, ReplicaState};
pub use registration::Registration;
pub use registry::Registry;
