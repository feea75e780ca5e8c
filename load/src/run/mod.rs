//! A run: how it begins and ends.

mod client;
mod runner;
mod steps;

pub use crate::shared::{Event, Phase, Pulse, Run, Snapshot};
pub use client::Client;
pub use runner::{Beside, Handle, Options, RunError, run};
