//! What all backends behind a network have in common: their own runtime, the time-out, the blocking calls.

mod adapter;
mod backend;
mod blocking;
mod runtime;

pub(crate) use adapter::Remote;
pub(crate) use backend::Backend;
pub(crate) use runtime::{io, on_io};
