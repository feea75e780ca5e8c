//! `flotilla agent`: starts, watches and stops the replicas that are placed on this machine.

mod args;
mod check;
mod run;
mod shelf;

pub use args::AgentArgs;
pub use run::run;
