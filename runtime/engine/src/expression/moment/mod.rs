//! `$moment`: moment.js with its time zones, as far as expressions can reach it.

mod arithmetic;
mod compare;
mod date;
mod fields;
mod format;
mod locale;
mod methods;
mod parse;
mod parse_format;
mod register;
mod relative;
mod units;

pub use date::format_date;
pub(super) use register::register;
