//! A flow document as one file per tab, so that a diff of two versions is readable and two people's changes on two tabs
//! merge, and back.

mod file;
mod homes;
mod join;
mod lines;
mod order;
mod separate;

pub use file::{MANIFEST, SplitFile};
pub use join::{JoinError, join};
pub use separate::split;
