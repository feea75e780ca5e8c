//! How subcommands reach the admin API, and how they show what it says.

mod args;
pub mod logins;
mod probe;
mod show;
mod versions;

pub use args::{AdminArgs, GroupArgs, TOKEN_FILE};
pub use probe::probe;
pub use show::{age, clock, json, table, time};
pub use versions::{is_changed_meanwhile, not_written};
