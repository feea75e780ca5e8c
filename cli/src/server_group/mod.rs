//! `flotilla server-group`: where the replicas of groups may be, in OpenStack's words.

mod run;

pub use run::{ServerGroupArgs, run};
