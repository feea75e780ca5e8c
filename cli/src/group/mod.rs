//! `flotilla group`: groups and what they are for.

mod edit;
mod member;
mod pause;
mod run;
mod set;
mod template;

pub use run::{GroupCommandArgs, run};
