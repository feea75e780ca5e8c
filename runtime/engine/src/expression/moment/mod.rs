//! `$moment`: moment.js with its time zones, as far as expressions can reach it.

mod arithmetic;
mod compare;
mod fields;
mod format;
mod locale;
mod methods;
mod moment_type;
mod parse;
mod parse_format;
mod register;
mod relative;
mod units;

pub use moment_type::format_date;
pub(super) use register::register;
