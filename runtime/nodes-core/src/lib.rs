//! The node types of the palette's categories common, function, sequence and storage.

pub mod common;
pub mod function;
mod io_code;
pub mod sequence;
pub mod storage;
mod table;

pub use common::debug::set_debug_active;
pub use common::inject::{cron_fault, inject_now, press};
pub use common::link::{GroupLink, Groups, OtherGroups, call_id, take_call};
pub use common::unknown::Swallowed;
pub use io_code::io_code;
pub use table::TYPES;
