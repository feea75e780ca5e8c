//! Copy-on-write values: what a message is made of.

mod convert;
mod error;
mod host_object;
mod json;
mod json_fault;
mod number;
mod object;
mod path;
mod path_parse;
mod path_set;
mod stringify;
mod types;
mod wait;

pub use error::ErrorValue;
pub use host_object::HostObject;
pub use json::{ParseError, from_json, parse_json, to_json};
pub use json_fault::json_fault;
pub use number::{number_to_string, parse_float, string_to_number};
pub use object::Object;
pub use path::{Path, PathError, PathPart};
pub use stringify::date_to_iso;
pub use stringify::{StringifyError, stringify, stringify_pretty};
pub use types::{RegExpValue, Str, TypedArray, Value};
pub use wait::{wait_ms, wait_seconds};
