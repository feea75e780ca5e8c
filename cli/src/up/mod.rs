//! `flotilla up`: a whole group on this machine, with one command.

mod args;
mod banner;
mod begin;
mod deployed;
mod dir;
mod hints;
mod link_account;
mod reach;
mod run;
mod scale;
mod scrape;
mod secret;
mod supervisor;
mod users;

pub use args::UpArgs;
pub use run::run;
