//! The node types, in the palette's categories.

mod table;

pub use table::TYPES;
