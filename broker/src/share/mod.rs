//! Share groups: who is in, what waits, who gets the next message, what comes back.

mod backlog;
mod group;
mod keyed;
mod member;
mod order;
mod strategy;

pub use crate::{
    blame::{Blame, Death},
    keys::GroupKey,
};
pub use backlog::{Backlog, Waiting};
pub use group::Group;
pub use keyed::{Absence, Next};
pub use member::{Member, Membership};
