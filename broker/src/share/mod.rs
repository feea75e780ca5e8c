//! Share groups: who is in, what waits, who gets the next message, what comes back.

mod backlog;
mod blame;
mod group;
mod keyed;
mod member;
mod order;
mod strategy;

pub use backlog::{Backlog, Waiting};
pub use blame::{Blame, Death};
pub use group::{Group, GroupKey};
pub use keyed::{Absence, Next};
pub use member::{Member, Membership};
