//! Binaries of Flotilla in the store, for agents.

mod binaries;
mod record;

pub use binaries::Binaries;
