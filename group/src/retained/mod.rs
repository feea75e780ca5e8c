//! Which retained messages a group has been given.

mod begun;

pub use begun::Begun;
