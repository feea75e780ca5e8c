//! Membership: which replicas are there, and what they say of themselves.

mod gateways;
mod memberships;
mod registration;
mod registry;
mod roster;
mod standing;
mod view;

pub use flotilla_api::replica::{ReplicaRecord, ReplicaState};
pub use gateways::Gateways;
pub use memberships::{Membership, Memberships};
pub use registration::Registration;
pub use registry::Registry;
pub use roster::Roster;
pub use standing::Standing;
pub use view::View;
