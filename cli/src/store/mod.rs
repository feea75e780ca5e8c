//! `flotilla store`: a backup of a store, and back.

mod args;
mod backup;
mod run;

pub use args::StoreArgs;
pub use run::run;
