//! `flotilla deadletter`: messages that failed for good.

mod run;

pub use run::{DeadLetterArgs, run};
