//! Finds circles between the folders of a crate: modules that import each other, where at least one of them is a folder.
//!
//! Modules in one folder may import each other, as files that share an `impl` do; two folders, or a folder and a file
//! beside it, may not. Crates need no check: cargo refuses a circle between them.

mod graph;
mod mention;
mod module;

pub use graph::{Circle, circles};
