//! Rollouts: a group goes from one revision to the next, one replica at a time.

mod apply;
mod begin;
mod decide;
mod forward;
mod proof;
mod rates;
mod retreat;
mod rollout;
#[cfg(test)]
mod tests;
mod view;

pub use apply::Actor;
pub use decide::{Action, decide};
pub use flotilla_api::rollout::{Counts, Member, Phase, Rules, Step};
pub(crate) use forward::judge;
pub use rollout::Rollout;
pub use view::GroupView;
