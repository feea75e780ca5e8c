//! When messages are due. Pure.

mod plan;

pub use plan::{Burst, Plan, Segment, Turns};
