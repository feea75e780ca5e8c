//! The value enum and its O(1) clone.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::error::ErrorValue;
use super::host_object::HostObject;
use super::object::Object;

/// A string that clones in O(1): inline up to 23 bytes, shared beyond.
///
/// JavaScript strings are UTF-16; lone surrogates become U+FFFD on their way in.
pub type Str = smol_str::SmolStr;

/// One JavaScript value as flows see it. Cloning is O(1); mutating a clone never shows in the original,
/// because the `Arc`s inside are unshared on the first write (`Arc::make_mut`).
///
/// ```
/// use flotilla_value::{Path, Value, parse_json};
///
/// let sent = parse_json(br#"{"payload":{"n":1}}"#).unwrap();
/// let mut received = sent.clone();
/// Path::parse("payload.n").unwrap().set(&mut received, Value::from(2.0), true).unwrap();
/// assert_eq!(sent.get("payload").get("n"), Value::from(1.0));
/// assert_eq!(received.get("payload").get("n"), Value::from(2.0));
/// ```
#[derive(Clone, Default)]
pub enum Value {
    /// `undefined`: also what a missing property reads as.
    #[default]
    Undefined,
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A JavaScript number (IEEE 754 double; -0, NaN and infinities included).
    Number(f64),
    /// A BigInt, in decimal digits.
    BigInt(Str),
    /// A string.
    String(Str),
    /// A Node.js `Buffer`.
    Buffer(Bytes),
    /// Another typed array, for example `Float32Array`.
    Typed(Arc<TypedArray>),
    /// A `Date`: milliseconds since the epoch, NaN for an invalid date.
    Date(f64),
    /// A regular expression.
    RegExp(Arc<RegExpValue>),
    /// An `Error` object with its own properties.
    Error(Arc<ErrorValue>),
    /// An array. Holes read as `Undefined`.
    Array(Arc<Vec<Value>>),
    /// A plain object; properties keep JavaScript's order.
    Object(Arc<Object>),
    /// A `Map`, in insertion order.
    Map(Arc<Vec<(Value, Value)>>),
    /// A `Set`, in insertion order.
    Set(Arc<Vec<Value>>),
    /// A function that left its script: only its name is kept, calling it does nothing.
    Function(Str),
    /// A reference to the object this many levels above: a cycle, which a tree cannot hold otherwise.
    Circular(u32),
    /// A live host object (`msg.req`, `msg.res`, a socket): shared by reference, never copied or serialised.
    Host(Arc<dyn HostObject>),
}

/// A typed array other than `Buffer`.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedArray {
    /// The constructor's name, for example `Uint16Array`.
    pub kind: Str,
    /// The bytes, in the platform's order (little endian).
    pub bytes: Bytes,
}

/// A regular expression's source and flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegExpValue {
    /// The pattern.
    pub source: Str,
    /// The flags, for example `gi`.
    pub flags: Str,
}

impl Value {
    /// An empty object.
    pub fn object() -> Value {
        Value::Object(Arc::new(Object::new()))
    }

    /// An array of values.
    pub fn array(items: Vec<Value>) -> Value {
        Value::Array(Arc::new(items))
    }

    /// A string.
    pub fn string(text: impl AsRef<str>) -> Value {
        Value::String(Str::new(text.as_ref()))
    }

    /// The text of a string; `None` for anything else.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number; `None` for anything else (no coercion: see [`Value::to_number`]).
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The bool; `None` for anything else.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The elements of an array; `None` for anything else.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The object; `None` for anything else.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The object for writing, unshared first; `None` for anything else.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Value::Object(object) => Some(Arc::make_mut(object)),
            _ => None,
        }
    }

    /// The elements for writing, unshared first; `None` for anything else.
    pub fn as_array_mut(&mut self) -> Option<&mut Vec<Value>> {
        match self {
            Value::Array(items) => Some(Arc::make_mut(items)),
            _ => None,
        }
    }

    /// A property of an object, error or host object; `Undefined` when absent.
    pub fn get(&self, key: &str) -> Value {
        self.get_ref(key).map_or_else(
            || match self {
                Value::Host(host) => host.get(key),
                Value::Error(error) => error.get(key),
                _ => Value::Undefined,
            },
            Value::clone,
        )
    }

    /// A borrowed property of a plain object; `None` when absent or not an object.
    pub fn get_ref(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get(key)
    }

    /// True for `undefined`.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined)
    }

    /// True for `undefined` and `null`.
    pub fn is_nullish(&self) -> bool {
        matches!(self, Value::Undefined | Value::Null)
    }

    /// What `typeof` answers.
    pub fn type_of(&self) -> &'static str {
        match self {
            Value::Undefined => "undefined",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::BigInt(_) => "bigint",
            Value::String(_) => "string",
            Value::Function(_) => "function",
            _ => "object",
        }
    }

    /// JavaScript truthiness.
    pub fn truthy(&self) -> bool {
        match self {
            Value::Undefined | Value::Null => false,
            Value::Bool(flag) => *flag,
            Value::Number(number) => !(*number == 0.0 || number.is_nan()),
            Value::BigInt(digits) => digits != "0",
            Value::String(text) => !text.is_empty(),
            _ => true,
        }
    }
}

/// `===` for primitives; deep equality (Node.js `isDeepStrictEqual`) for the rest. NaN equals NaN, as there.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Undefined, Value::Undefined) | (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) | (Value::Date(a), Value::Date(b)) => {
                a == b || (a.is_nan() && b.is_nan())
            }
            (Value::String(a), Value::String(b))
            | (Value::BigInt(a), Value::BigInt(b))
            | (Value::Function(a), Value::Function(b)) => a == b,
            (Value::Buffer(a), Value::Buffer(b)) => a == b,
            (Value::Typed(a), Value::Typed(b)) => a == b,
            (Value::RegExp(a), Value::RegExp(b)) => a == b,
            (Value::Error(a), Value::Error(b)) => Arc::ptr_eq(a, b) || a == b,
            (Value::Array(a), Value::Array(b)) | (Value::Set(a), Value::Set(b)) => Arc::ptr_eq(a, b) || a == b,
            (Value::Object(a), Value::Object(b)) => Arc::ptr_eq(a, b) || a == b,
            (Value::Map(a), Value::Map(b)) => Arc::ptr_eq(a, b) || a == b,
            (Value::Circular(a), Value::Circular(b)) => a == b,
            (Value::Host(a), Value::Host(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Undefined => f.write_str("undefined"),
            Value::Null => f.write_str("null"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Number(number) => f.write_str(&super::number::number_to_string(*number)),
            Value::BigInt(digits) => write!(f, "{digits}n"),
            Value::String(text) => write!(f, "{:?}", text.as_str()),
            Value::Buffer(bytes) => write!(f, "Buffer{:?}", &bytes[..]),
            Value::Typed(array) => write!(f, "{array:?}"),
            Value::Date(ms) => write!(f, "Date({ms})"),
            Value::RegExp(regexp) => write!(f, "/{}/{}", regexp.source, regexp.flags),
            Value::Error(error) => write!(f, "{error:?}"),
            Value::Array(items) | Value::Set(items) => f.debug_list().entries(items.iter()).finish(),
            Value::Object(object) => f.debug_map().entries(object.iter()).finish(),
            Value::Map(pairs) => f.debug_list().entries(pairs.iter()).finish(),
            Value::Function(name) => write!(f, "[Function {name}]"),
            Value::Circular(up) => write!(f, "[Circular {up}]"),
            Value::Host(host) => write!(f, "[{}]", host.class_name()),
        }
    }
}
