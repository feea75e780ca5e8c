//! How subcommands talk to the admin API, and how they show what it says.

mod admin;
mod args;
mod probe;
mod show;

pub use admin::ApiError;
pub(crate) use args::actor;
pub use args::{AdminArgs, GroupArgs};
pub use probe::probe;
pub use show::{age, json, table, time};
