//! The value enum and its O(1) clone.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::error::ErrorValue;
use super::object::Object;

/// A string that clones in O(1): inline up to 23 bytes, shared beyond.
///
/// JavaScript strings are UTF-16; lone surrogates become U+FFFD on their way in.
pub type Str = smol_str::SmolStr;

/// One JavaScript value as flows see it. Cloning is O(1); mutating a clone never shows in the original,
/// because the `Arc`s inside are unshared on the first write (`Arc::make_mut`).
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

/// Something of the runtime's that travels in a message by reference.
pub trait HostObject: Any + Send + Sync {
    /// JavaScript's name of the class, for example `IncomingMessage`.
    fn class_name(&self) -> &'static str;
    /// A property that scripts and property paths can read; `Undefined` when there is none of that name.
    fn get(&self, _name: &str) -> Value {
        Value::Undefined
    }
    /// The names that [`HostObject::get`] answers, in order: what an enumeration in a script sees.
    fn keys(&self) -> Vec<Str> {
        Vec::new()
    }
    /// Further names that [`HostObject::get`] answers, which an enumeration does not show.
    fn hidden(&self) -> &'static [&'static str] {
        &[]
    }
    /// Takes a property that a flow assigned; `Undefined` removes it. All holders of the object see it.
    ///
    /// # Errors
    /// The text of the exception that the script sees: when the property cannot have this value.
    fn set(&self, name: &str, _value: Value) -> Result<(), String> {
        Err(format!("Cannot set property {name} of {} which has only a getter", self.class_name()))
    }
    /// Ends when the exchange that the object belongs to is over: true when the answer was given, false
    /// when the client went away before. `None` where that has no meaning.
    fn over(&self) -> Option<futures::future::BoxFuture<'static, bool>> {
        None
    }
    /// Ends with true when the client has taken all that was written so far, after `write` had asked to wait; with false when
    /// that will not be. `None` where nothing is written.
    fn drained(&self) -> Option<futures::future::BoxFuture<'static, bool>> {
        None
    }
    /// Method names that scripts may call (for example `status`, `send`, `cookie` on `msg.res`).
    fn methods(&self) -> &'static [&'static str] {
        &[]
    }
    /// Calls a method listed in [`HostObject::methods`]. A returned `Undefined` means "returns this" for chaining.
    ///
    /// # Errors
    /// The text of the exception that the script sees.
    fn call(&self, method: &str, _args: &[Value]) -> Result<Value, String> {
        Err(format!("{method} is not a function"))
    }
    /// For downcasts to the concrete type.
    fn as_any(&self) -> &dyn Any;
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

    /// `Number(value)`.
    pub fn to_number(&self) -> f64 {
        match self {
            Value::Undefined => f64::NAN,
            Value::Null => 0.0,
            Value::Bool(flag) => f64::from(u8::from(*flag)),
            Value::Number(number) | Value::Date(number) => *number,
            Value::BigInt(text) | Value::String(text) => super::number::string_to_number(text),
            Value::Circular(_) | Value::Host(_) | Value::Function(_) => f64::NAN,
            other => super::number::string_to_number(&other.to_text()),
        }
    }

    /// `String(value)`: arrays join with commas, objects are `[object Object]`, dates as JavaScript prints them in UTC.
    pub fn to_text(&self) -> Str {
        match self {
            Value::Undefined => Str::new_static("undefined"),
            Value::Null => Str::new_static("null"),
            Value::Bool(true) => Str::new_static("true"),
            Value::Bool(false) => Str::new_static("false"),
            Value::Number(number) => super::number::number_to_string(*number),
            Value::BigInt(text) | Value::String(text) => text.clone(),
            Value::Buffer(bytes) => Str::from(String::from_utf8_lossy(bytes)),
            Value::Typed(array) => join_numbers(array),
            Value::Date(ms) => {
                Str::from(super::stringify::date_to_iso(*ms).unwrap_or_else(|| "Invalid Date".to_owned()))
            }
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
    Str::from(numbers.map(|number| super::number::number_to_string(number).to_string()).collect::<Vec<_>>().join(","))
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
