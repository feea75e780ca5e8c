//! The node types, in the palette's categories.

pub mod function;
pub mod network;
pub mod parser;
mod props;
pub mod sequence;
pub mod storage;
mod table;

pub use table::TYPES;
