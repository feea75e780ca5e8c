//! `flotilla key`: the key that seals credentials, secrets and dead letters.

mod run;

pub use run::{KeyArgs, run};
