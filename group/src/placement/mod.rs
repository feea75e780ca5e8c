//! Where replicas run: which member of a group is on which host. Pure and deterministic; `store/` keeps it.

mod board;
mod choose;
mod decide;
mod document;
mod moves;
mod obstacle;
mod propose;
mod upgrade;
mod view;
mod violations;

#[cfg(test)]
mod tests;

pub use crate::no_place::{NoValidHost, PlacementError};
pub use decide::{Decision, Outcome, decide};
pub use document::{Placement, Places, ServerGroup, member_name, number_of};
pub use moves::plan;
pub use propose::{place, propose, summary};
pub use upgrade::{begin as begin_upgrade, cancel as cancel_upgrade};
pub use view::{GroupSeen, HostSeen, PlacementRules, PlacementView};
pub use violations::{Violation, violated, violations};
