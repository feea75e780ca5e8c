//! `flotilla replica`: one replica of a group.

mod advertise;
mod args;
mod clock;
mod context_storage;
mod control;
mod engine;
mod health;
mod leaving;
mod left;
mod letters;
mod life;
mod memory;
mod metrics;
mod node_id;
mod node_series;
mod observer;
mod orphans;
mod outbox;
mod parent;
mod ranges;
mod regroup;
mod relay;
mod replica;
mod schedule;
mod secret_files;
mod sessions;
mod together;
mod trails;
mod watch;

pub use args::{EngineArgs, ReplicaArgs};
pub(crate) use engine::deploy;
pub use life::run;
pub(crate) use replica::PAUSED;
