//! What a value is to look like.

mod budget;
mod compare;
mod kinds;
mod show;
mod words;

pub(super) use budget::Budget;
pub use compare::Mismatch;
pub(super) use kinds::TYPES;
pub use kinds::{Contains, Matcher, Pattern, Property};
pub(super) use show::show;
