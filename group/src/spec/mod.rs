//! What a group is besides its revision: name, description, size.

mod specs;

pub use flotilla_api::group::GroupSpec;
pub use specs::Specs;
