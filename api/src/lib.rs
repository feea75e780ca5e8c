//! The types of the admin API `/api/v1`, its errors and its client: gateway, command line and tests share them.
//!
//! Types that are plain data in the store as well (a replica's record, a rollout) are the same here and there.

pub mod access;
pub mod alert;
pub mod audit;
pub mod client;
pub mod deadletter;
pub mod debug;
pub mod deploy;
pub mod env;
pub mod group;
pub mod health;
pub mod key;
pub mod log;
pub mod member;
pub mod node;
pub mod omit;
pub mod path;
pub mod pipeline;
pub mod placement;
pub mod problem;
pub mod replica;
pub mod revision;
pub mod rollout;
pub mod snapshot;
pub mod timer;
pub mod trail;
pub mod transfer;

pub use client::{Client, ClientError, Event, Events};
pub use problem::Problem;
