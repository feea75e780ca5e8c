//! `flotilla group`: groups and what they are for.

mod edit;
mod member;
mod pause;
mod run;
mod set;

pub use run::{GroupCommandArgs, run};
