//! Store URLs: which backend, where, as whom.

mod open;
mod parse;

pub use open::open;
pub(crate) use parse::bad_url;
pub(crate) use parse::take_params;
