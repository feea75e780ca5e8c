//! Share groups: who is in, what waits, who gets the next message, what comes back.

mod backlog;
mod group;
mod member;
mod strategy;

pub use backlog::{Backlog, Waiting};
pub use group::{Group, GroupKey};
pub use member::Member;
