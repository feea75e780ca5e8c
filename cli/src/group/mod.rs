//! `flotilla group`: groups and what they are for.

mod run;

pub use run::{GroupCommandArgs, run};
