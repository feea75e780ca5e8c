//! `flotilla load`: the load generator.

mod args;
mod compare;
mod live;
mod run;
mod simple;

pub use args::LoadArgs;
pub use run::run;
