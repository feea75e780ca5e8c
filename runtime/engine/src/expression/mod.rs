//! Expressions of edit dialogs: typed inputs, JSONata, Mustache, regular expressions, dates.

mod bridge;
mod error;
mod functions;
mod jsonata;
mod lookups;
mod memory;
mod moment;
mod mustache;
mod mustache_parse;
mod regexp;
mod surroundings;
mod typed;

pub use error::ExpressionError;
pub use jsonata::Jsonata;
pub use lookups::NodeLookup;
pub(crate) use memory::watch_expressions;
pub use moment::format_date;
pub use mustache::{Lookup, Plain, Template};
pub use regexp::{Regexp, escape_regexp};
pub use surroundings::{Surroundings, context_get, context_set};
pub use typed::Typed;
