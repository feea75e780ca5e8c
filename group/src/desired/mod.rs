//! What a group is to run: its good revision and the rollout to the next.

mod audit_list;
mod state;
mod states;
mod transfers;

pub use state::DesiredState;
pub use states::DesiredStates;
pub use transfers::Transfers;
