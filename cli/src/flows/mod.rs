//! `flotilla flows`: flow documents as files.

mod run;

pub use run::{FlowsArgs, run};
