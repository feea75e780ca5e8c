//! The node types of a replica: the tables of the `nodes-*` crates, joined; and what compiles their code without running it.

pub mod compile;
mod table;

pub use table::types;
