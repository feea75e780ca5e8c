//! The link nodes: wires that are not drawn, also between tabs.

mod call;
mod ends;
mod targets;

pub use call::TYPE as CALL;
pub use ends::{IN, OUT};
