//! `flotilla revision`: what a group was given to run.

mod diff;
mod run;

pub use run::{RevisionArgs, run};
