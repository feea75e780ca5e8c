//! The kinds of matchers.

use flotilla_engine::expression::Regexp;
use flotilla_value::{Path, Value};

/// What a value is to look like.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// Equal, deeply, type for type.
    Equal(Value),
    /// There, whatever it is.
    Any,
    /// Not there, or `undefined`.
    Missing,
    /// An array of just these.
    Array(Vec<Matcher>),
    /// An object with just these properties.
    Object(Vec<(String, Matcher)>),
    /// A message, of which only these property paths are looked at.
    Message(Vec<Property>),
    /// An object with at least these properties, an array with at least these items, or a text with this in it.
    Contains(Contains),
    /// A text in which the regular expression finds something.
    Match(Box<Pattern>),
    /// A value of this type: `typeof`, and `integer`, `array`, `null`, `buffer`, `date`, `error`.
    Type(String),
    /// A number that differs from the first by at most the second.
    Approx(f64, f64),
    /// An array, text or buffer of this length.
    Length(Box<Matcher>),
    /// One of these.
    OneOf(Vec<Matcher>),
    /// Not this.
    Not(Box<Matcher>),
}

/// A property of a message.
#[derive(Clone, Debug)]
pub struct Property {
    /// The path as it was written.
    pub text: String,
    /// The path.
    pub path: Path,
    /// What is there.
    pub matcher: Matcher,
}

/// A regular expression as it was written.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// `/source/flags`.
    pub text: String,
    /// The compiled one.
    pub regexp: Regexp,
}

/// What is to be in a value.
#[derive(Clone, Debug)]
pub enum Contains {
    /// Properties of an object.
    Properties(Vec<(String, Matcher)>),
    /// Items of an array, in any order.
    Items(Vec<Matcher>),
    /// A part of a text.
    Text(String),
}

/// The names of types in `$type`.
pub(crate) const TYPES: &[&str] = &[
    "string", "number", "integer", "boolean", "object", "array", "null", "buffer", "date", "error", "function",
    "bigint",
];

/// The name of a value's type, as `$type` has it.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Array(_) => "array",
        Value::Buffer(_) => "buffer",
        Value::Date(_) => "date",
        Value::Error(_) => "error",
        other => other.type_of(),
    }
}
