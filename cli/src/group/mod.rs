//! `flotilla group`: groups and what they are for.

mod member;
mod run;

pub use run::{GroupCommandArgs, run};
