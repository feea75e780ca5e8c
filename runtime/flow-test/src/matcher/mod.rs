//! What a value is to look like.

mod compare;
mod kinds;
mod show;
mod words;

pub use compare::Mismatch;
pub(super) use kinds::TYPES;
pub use kinds::{Contains, Matcher, Pattern, Property};
pub(super) use show::show;
