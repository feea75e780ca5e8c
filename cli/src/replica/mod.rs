//! `flotilla replica`: one replica of a group.

mod args;
mod engine;
mod life;
mod memory;
mod metrics;
mod parent;
mod replica_type;
mod schedule;
mod sessions;

pub use args::{EngineArgs, FlowArgs, ReplicaArgs};
pub use life::run;
