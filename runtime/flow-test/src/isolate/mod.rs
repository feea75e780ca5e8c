//! Nodes that reach out of the process do not, in a test: they are isolated, unless the test wants one live.

mod isolated;
mod isolation;
mod product;
mod role;
mod types;

pub(super) use isolation::Isolation;
pub use role::Role;
pub(super) use types::types;
