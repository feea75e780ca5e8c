//! `flotilla token`: what scripts and machines show instead of a password.

mod run;

pub use run::{TokenArgs, run, seconds};
