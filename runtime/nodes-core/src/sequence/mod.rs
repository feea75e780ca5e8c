//! The palette's sequence group.

pub mod batch;
pub mod join;
pub mod sort;
pub mod split;
