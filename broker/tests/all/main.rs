//! What fuzzing found. One binary: each is linked with all of the crate.

mod connections;
mod packets;
