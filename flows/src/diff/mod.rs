//! What differs between two flow documents.

mod change;
mod compare;

pub use change::{Change, Kind};
pub use compare::diff;
