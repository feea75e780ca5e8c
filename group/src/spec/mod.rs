//! What a group is besides its revision: name, description, size.

mod specs;
mod supervision;

pub use flotilla_api::group::GroupSpec;
pub use specs::Specs;
pub use supervision::Supervision;
