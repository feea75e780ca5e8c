//! Documents from outside. One binary: each is linked with all of the crate.

mod damage;
mod flowfuse;
mod split;
