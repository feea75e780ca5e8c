//! The link nodes: wires that are not drawn, also between tabs.

mod call;
mod ends;
mod other_groups;
mod targets;

pub(crate) use call::call;
pub use call::{TYPE as CALL, call_id, take_call};
pub use ends::{IN, OUT};
pub use other_groups::{GroupLink, Groups, OtherGroups};
