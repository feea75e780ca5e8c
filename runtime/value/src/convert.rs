//! From and to other types, as JavaScript converts.

use std::sync::Arc;

use super::object::Object;
use super::types::{Str, TypedArray, Value};
use super::{number, stringify};

impl Value {
    /// `Number(value)`.
    pub fn to_number(&self) -> f64 {
        match self {
            Value::Undefined => f64::NAN,
            Value::Null => 0.0,
            Value::Bool(flag) => f64::from(u8::from(*flag)),
            Value::Number(number) | Value::Date(number) => *number,
            Value::BigInt(text) | Value::String(text) => number::string_to_number(text),
            Value::Circular(_) | Value::Host(_) | Value::Function(_) => f64::NAN,
            other => number::string_to_number(&other.to_text()),
        }
    }

    /// `String(value)`: arrays join with commas, objects are `[object Object]`, dates as JavaScript prints them in UTC.
    pub fn to_text(&self) -> Str {
        match self {
            Value::Undefined => Str::new_static("undefined"),
            Value::Null => Str::new_static("null"),
            Value::Bool(true) => Str::new_static("true"),
            Value::Bool(false) => Str::new_static("false"),
            Value::Number(number) => number::number_to_string(*number),
            Value::BigInt(text) | Value::String(text) => text.clone(),
            Value::Buffer(bytes) => Str::from(String::from_utf8_lossy(bytes)),
            Value::Typed(array) => join_numbers(array),
            Value::Date(ms) => Str::from(stringify::date_to_iso(*ms).unwrap_or_else(|| "Invalid Date".to_owned())),
            Value::RegExp(regexp) => Str::from(format!("/{}/{}", regexp.source, regexp.flags)),
            Value::Error(error) => error.to_text(),
            Value::Array(items) => {
                let parts: Vec<Str> =
                    items.iter().map(|item| if item.is_nullish() { Str::default() } else { item.to_text() }).collect();
                Str::from(parts.join(","))
            }
            Value::Object(_) | Value::Circular(_) | Value::Host(_) => Str::new_static("[object Object]"),
            Value::Map(_) => Str::new_static("[object Map]"),
            Value::Set(_) => Str::new_static("[object Set]"),
            Value::Function(name) => Str::from(format!("function {name}() {{ [native code] }}")),
        }
    }
}

fn join_numbers(array: &TypedArray) -> Str {
    let width = match array.kind.as_str() {
        "Int16Array" | "Uint16Array" => 2,
        "Int32Array" | "Uint32Array" | "Float32Array" => 4,
        "Float64Array" | "BigInt64Array" | "BigUint64Array" => 8,
        _ => 1,
    };
    let numbers = array.bytes.chunks_exact(width).map(|chunk| match (array.kind.as_str(), chunk) {
        ("Int8Array", [a]) => f64::from(i8::from_le_bytes([*a])),
        ("Int16Array", [a, b]) => f64::from(i16::from_le_bytes([*a, *b])),
        ("Uint16Array", [a, b]) => f64::from(u16::from_le_bytes([*a, *b])),
        ("Int32Array", [a, b, c, d]) => f64::from(i32::from_le_bytes([*a, *b, *c, *d])),
        ("Uint32Array", [a, b, c, d]) => f64::from(u32::from_le_bytes([*a, *b, *c, *d])),
        ("Float32Array", [a, b, c, d]) => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
        ("Float64Array", [a, b, c, d, e, f, g, h]) => f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        ("BigInt64Array", [a, b, c, d, e, f, g, h]) => i64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as f64,
        ("BigUint64Array", [a, b, c, d, e, f, g, h]) => u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as f64,
        (_, [first, ..]) => f64::from(*first),
        (_, []) => f64::NAN,
    });
    Str::from(numbers.map(|number| number::number_to_string(number).to_string()).collect::<Vec<_>>().join(","))
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(Str::new(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(Str::from(text))
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Value {
        Value::String(text)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Value {
        Value::Bool(flag)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Value {
        Value::Object(Arc::new(object))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::array(items)
    }
}
