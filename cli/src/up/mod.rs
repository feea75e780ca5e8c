//! `flotilla up`: a whole group on this machine, with one command.

mod args;
mod backoff;
mod banner;
mod begin;
mod deployed;
mod dir;
mod hints;
mod living;
mod printer;
mod reach;
mod run;
mod scale;
mod scrape;
mod secret;
mod supervisor;
mod users;

pub use args::UpArgs;
pub use living::Living;
pub use printer::Printer;
pub use run::run;
pub use supervisor::{ReplicaCommand, keep_running};
