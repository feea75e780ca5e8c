//! `flotilla upgrade`: a rolling upgrade of the binary that agents and replicas run.

mod args;
mod run;
mod send;
mod show;

pub use args::UpgradeArgs;
pub use run::run;
