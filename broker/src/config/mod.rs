//! What can be set.

mod account;
mod check;
mod config;
mod deny;
mod strategy;

pub use account::Account;
pub use check::InvalidSetting;
pub use config::Config;
pub use strategy::{GroupStrategy, InvalidGroupStrategy, Strategy, UnknownStrategy};
