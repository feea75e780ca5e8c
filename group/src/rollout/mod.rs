//! Rollouts: a group goes from one revision to the next, one replica at a time.

mod apply;
mod begin;
mod decide;
mod deploy_type;
mod driver;
mod forward;
mod member;
mod rates;
mod retreat;
mod rollout_type;
mod rules;
mod seen;
#[cfg(test)]
mod tests;

pub use apply::Actor;
pub use decide::{Action, decide};
pub use deploy_type::DeployType;
pub use driver::Driver;
pub use member::{Member, Step};
pub use rollout_type::{Phase, Rollout};
pub use rules::Rules;
pub use seen::{Counts, Seen};
