//! `flotilla modules`: the npm modules that function nodes name.

mod args;
mod folder;
mod lock;
mod npm;
mod run;

pub use args::ModulesArgs;
pub use run::run;
