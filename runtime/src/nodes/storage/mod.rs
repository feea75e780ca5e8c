//! The palette's storage group.

pub mod encoding;
