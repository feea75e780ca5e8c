//! `flotilla up`: a whole group on this machine, with one command.

mod args;
mod banner;
mod begin;
mod deployed;
mod dir;
mod forget;
mod hints;
mod host;
mod link_account;
mod open;
mod reach;
mod run;
mod scrape;
mod secret;
mod users;

pub use args::UpArgs;
pub use run::run;
