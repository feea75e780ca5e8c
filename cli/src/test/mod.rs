//! `flotilla test`: a user's own tests of a flow.

mod args;
mod print;
mod run;

pub use args::TestArgs;
pub use run::run;
