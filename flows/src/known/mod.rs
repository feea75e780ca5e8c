//! Node types: Node-RED's own, and which npm package well-known others come from.

mod core;
mod instead;
mod modules;
mod package_table;
mod packages;
mod unknown;

pub use core::is_core_type;
pub use instead::instead;
pub use modules::{VersionConflict, Wanted, is_node_js, libs, wanted_modules};
pub use packages::npm_package;
pub use unknown::{UnknownType, unknown_types};
