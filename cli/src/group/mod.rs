//! `flotilla group`: groups and what they are for.

mod edit;
mod member;
mod pause;
mod run;
mod set;
mod template;

pub(crate) use edit::{in_editor, not_made};
pub use run::{GroupCommandArgs, run};
