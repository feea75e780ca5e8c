//! What a group is to run: its good revision and the rollout to the next.

mod state;
mod states;
mod trail;

pub use state::DesiredState;
pub use states::DesiredStates;
