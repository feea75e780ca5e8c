//! Log output of a process.

mod calm;
mod capture;
mod init;
mod keep;
mod lines;
mod text;
mod who;

pub use init::{Color, LogFormat, has_colours, init, stdout_has_colours};
pub use keep::keep;
pub use lines::{DEBUG_NODES, json, kept, write};
pub use text::{foreign, text};
pub use who::set_who;
