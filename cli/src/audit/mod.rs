//! `flotilla audit`: who changed what, when and why.

mod run;
mod verify;

pub use run::{AuditArgs, run};
pub use verify::HEADS_FILE;
