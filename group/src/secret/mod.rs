//! Secrets of a group: environment variables that belong to it and to no revision.

mod secrets;

pub use secrets::Secrets;
