//! `flotilla rollout` and `flotilla rollback`, and how a rollout is watched.

mod progress;
mod rollback;
mod rules;
mod run;

pub use progress::watch;
pub use rollback::{RollbackArgs, rollback};
pub use rules::RulesArgs;
pub use run::{RolloutArgs, run};
