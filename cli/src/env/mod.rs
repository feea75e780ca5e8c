//! `flotilla env`: environment variables of a group, and its secrets.

mod run;

pub use run::{EnvArgs, run};
