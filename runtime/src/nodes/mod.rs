//! The node types, in the palette's categories.

pub mod common;
pub mod function;
pub mod network;
pub mod parser;
mod props;
pub mod sequence;
pub mod storage;
mod table;

pub use common::debug::set_debug_active;
pub use common::inject::inject_now;
pub use common::unknown::Swallowed;
pub use table::TYPES;
