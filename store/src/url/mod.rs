//! Store URLs: which backend, where, as whom.

mod net;
mod open;
mod parse;

pub(crate) use net::NetUrl;
pub use open::open;
pub(crate) use parse::{bad_url, take_params};
