//! `flotilla deploy`: a group gets a new revision.

mod args;
mod run;

pub use args::DeployArgs;
pub use run::run;
