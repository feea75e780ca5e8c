//! What messages look like: topics, payloads, and the mark by which each is found again.

mod mark;
mod pattern;
mod payload;
mod table;

pub use mark::{Finder, Mark};
pub use pattern::{PatternError, expand};
pub use payload::{Fill, Template, TemplateError};
pub use table::{Table, TableError};
