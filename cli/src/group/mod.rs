//! `flotilla group`: groups and what they are for.

mod member;
mod run;
mod set;

pub use run::{GroupCommandArgs, run};
