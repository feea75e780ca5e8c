//! `flotilla deploy`: a group gets a new revision.

mod args;
mod change;
mod dry_run;
mod foreign;
mod run;

pub use args::DeployArgs;
pub use change::split;
pub use run::{refused, run};
