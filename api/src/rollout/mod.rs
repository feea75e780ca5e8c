//! Rollouts: a group goes from one revision to the next, one replica at a time.

mod counts;
mod member;
mod record;
mod rules;
mod status;

pub use counts::Counts;
pub use member::{Member, Step};
pub use record::{Phase, Rollout};
pub use rules::Rules;
pub use status::{RolloutChange, RolloutStatus};
