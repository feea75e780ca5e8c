//! `flotilla agent`: starts, watches and stops the replicas that are placed on this machine.

mod args;
mod beat;
mod crew;
mod run;

pub use args::AgentArgs;
pub use run::run;
