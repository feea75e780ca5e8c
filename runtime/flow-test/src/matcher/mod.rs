//! What a value is to look like.

mod compare;
mod matcher_type;
mod show;

pub use compare::Mismatch;
pub(super) use matcher_type::TYPES;
pub use matcher_type::{Contains, Matcher, Pattern, Property};
pub(super) use show::show;
