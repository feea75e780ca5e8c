//! `flotilla user`: who may use the admin API, and as what.

mod run;

pub use run::{UserArgs, run};
