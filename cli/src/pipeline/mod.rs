//! `flotilla pipeline`: revisions go from stage to stage.

mod args;
mod hook;
mod run;
mod show;
mod tokens;

pub use args::PipelineArgs;
pub use run::run;
