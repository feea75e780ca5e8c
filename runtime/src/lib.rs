//! The node types of a replica: the tables of the `nodes-*` crates, joined.

mod table;

pub use table::types;
