//! The group's key is replaced while the group runs.

mod anew;
mod rotate;

pub use rotate::{Begun, Rotation};
