//! Store URLs: which backend, where, as whom.

mod net;
mod parse;

pub(crate) use net::NetUrl;
pub(crate) use parse::{bad_url, take_params};
