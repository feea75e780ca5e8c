//! `flotilla up`: a whole group on this machine, with one command.

mod args;
mod backoff;
mod banner;
mod hints;
mod run;
mod scale;
mod supervisor;

pub use args::UpArgs;
pub use run::run;
