//! Reading a tests file.

mod cursor;
mod expect;
mod file;
mod inject;
mod literal;
mod matcher;
mod place;
mod problem;
mod request;

pub use file::read;
pub use problem::{Problem, Unreadable};
