//! A Node-RED user directory: what `flotilla up DIR` finds in it.

mod context;
mod files;
mod found;
mod packages;
mod settings;

pub use context::import;
pub use found::UserDir;
pub use settings::{ReadSettings, read_settings};
