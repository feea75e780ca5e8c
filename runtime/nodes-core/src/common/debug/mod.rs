//! The debug node: shows messages in the sidebar, in the log and in its status.

mod encode;
mod inspect;
mod node;

pub use node::{TYPE, set_debug_active};
