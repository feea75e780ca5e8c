//! What a replica shows to the gateways of its group, beside `/livez`, `/readyz` and `/metrics`: with the group's control
//! token only.

mod debug;
mod gate;
mod inject;
mod logs;
mod nodes;
#[cfg(test)]
mod refusals;
mod timers;
mod trails;

pub use gate::{Control, Opened};
