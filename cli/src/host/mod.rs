//! `flotilla host`: machines with an agent.

mod run;

pub use run::{HostArgs, run};
