//! What differs between two flow documents.

mod change;
mod compare;
mod effects;

pub use change::{Change, Kind};
pub use compare::diff;
pub use effects::{Effects, effects};
