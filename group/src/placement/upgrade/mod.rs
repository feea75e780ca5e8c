//! Rolling upgrades of the binary: host by host, one replica at a time, then the agent, and back when it fails.

mod begin;
mod forward;
mod pair;
mod retreat;
mod trial;

pub use begin::{begin, cancel};
