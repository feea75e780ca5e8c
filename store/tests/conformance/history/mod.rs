//! Histories of operations on a key, recorded by several processes, and a check that one order explains them.

mod check;
mod event;
mod record;

pub use check::check;
pub use event::{Event, parse};
pub use record::record;
