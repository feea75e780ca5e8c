//! How subcommands reach the admin API, and how they show what it says.

mod args;
pub mod logins;
mod probe;
mod show;

pub use args::{AdminArgs, GroupArgs, TOKEN_FILE};
pub use probe::probe;
pub use show::{age, clock, json, table, time};
