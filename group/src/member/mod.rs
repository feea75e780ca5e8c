//! Membership: which replicas are there, and what they say of themselves.

mod gateways;
mod memberships;
mod record;
mod registration;
mod registry;

pub use gateways::Gateways;
pub use memberships::{Membership, Memberships};
pub use record::{ReplicaRecord, ReplicaState};
pub use registration::Registration;
pub use registry::Registry;
