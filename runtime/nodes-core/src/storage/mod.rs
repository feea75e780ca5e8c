//! The palette's storage group.

pub mod encoding;
mod errno;
pub mod file;
pub mod file_in;
mod filename;
pub mod watch;
