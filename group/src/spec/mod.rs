//! What a group is besides its revision: name, description, size.

mod group_spec;
mod specs;

pub use group_spec::GroupSpec;
pub use specs::Specs;
