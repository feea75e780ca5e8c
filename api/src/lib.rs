//! The types of the admin API `/api/v1`, its errors and its client: gateway, command line and tests share them.
//!
//! Types that are plain data in the store as well (a replica's record, a rollout) are the same here and there.

pub mod access;
pub mod audit;
pub mod client;
pub mod deadletter;
pub mod deploy;
pub mod env;
pub mod group;
pub mod health;
pub mod member;
pub mod pipeline;
pub mod problem;
pub mod replica;
pub mod revision;
pub mod rollout;
pub mod snapshot;

pub use client::{Client, ClientError};
pub use problem::Problem;
