//! Log output of a process.

mod calm;
mod init;

pub use init::{Color, LogFormat, init};
