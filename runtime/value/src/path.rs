//! Property expressions such as `payload.items[0]["a b"]` and `payload[msg.topic]`.
//!
//! Source: `normalisePropertyExpression`, `getObjectProperty` and `setObjectProperty` of Node-RED's `util`, whose
//! messages flows and tests see.

use std::borrow::Cow;

use super::path_set::set_parts;
use super::types::{Str, Value};
use super::{number_to_string, path_parse};

/// An expression, parsed once.
///
/// ```
/// use flotilla_value::{Path, parse_json};
///
/// let msg = parse_json(br#"{"topic":"b","payload":{"items":[{"a b":1}],"b":2}}"#).unwrap();
/// let get = |text: &str| Path::message(text).unwrap().get(&msg).unwrap();
/// assert_eq!(get("msg.payload.items[0][\"a b\"]").as_number(), Some(1.0));
/// assert_eq!(get("payload[msg.topic]").as_number(), Some(2.0));
/// assert!(get("payload.nothing").is_undefined());
/// assert!(Path::message("payload..b").is_err());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    parts: Vec<PathPart>,
}

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq)]
pub enum PathPart {
    /// A property name.
    Key(Str),
    /// An array index; on an object, a property of that name.
    Index(usize),
    /// `[msg.topic]`: the key is what that expression gives for the message.
    Nested(Path),
}

/// Why an expression could not be parsed or followed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PathError {
    /// The expression is malformed; Node-RED's code `INVALID_EXPR`.
    #[error("{0}")]
    Invalid(String),
    /// A parent on the way is undefined or null; JavaScript's own words.
    #[error("Cannot read properties of {parent} (reading '{key}')")]
    NoParent {
        /// `undefined` or `null`.
        parent: &'static str,
        /// The property that was to be read.
        key: String,
    },
    /// The index would make an array with more than a million holes.
    #[error("Cannot set index {0}: it would leave more than 1000000 holes in the array")]
    TooLong(usize),
}

impl PathPart {
    fn resolve(&self, msg: Option<&Value>) -> Result<PathPart, PathError> {
        let PathPart::Nested(path) = self else { return Ok(self.clone()) };
        let found = match msg {
            Some(msg) => path.get_in(msg, Some(msg)).unwrap_or_default(),
            None => Value::Undefined,
        };
        match found {
            Value::Undefined => Err(PathError::Invalid(format!("Invalid expression: undefined reference : {path}"))),
            Value::Number(number) if number >= 0.0 && number.fract() == 0.0 => Ok(PathPart::Index(number as usize)),
            other => Ok(PathPart::Key(other.to_text())),
        }
    }

    pub(super) fn name(&self) -> Str {
        match self {
            PathPart::Key(key) => key.clone(),
            PathPart::Index(index) => number_to_string(*index as f64),
            PathPart::Nested(path) => Str::from(path.to_string()),
        }
    }
}

impl Path {
    /// Parses an expression; a leading `msg.` is not stripped (see [`Path::message`]).
    pub fn parse(text: &str) -> Result<Path, PathError> {
        path_parse::parse(&text.chars().collect::<Vec<_>>())
    }

    /// Parses a message property: a leading `msg.` is dropped, as `getMessageProperty` does.
    pub fn message(text: &str) -> Result<Path, PathError> {
        Path::parse(text.strip_prefix("msg.").unwrap_or(text))
    }

    /// A path of one plain key.
    pub fn key(key: impl Into<Str>) -> Path {
        Path { parts: vec![PathPart::Key(key.into())] }
    }

    /// A path of these steps.
    pub fn from_parts(parts: Vec<PathPart>) -> Path {
        Path { parts }
    }

    /// The steps.
    pub fn parts(&self) -> &[PathPart] {
        &self.parts
    }

    /// Reads the property of a message. Missing last step: `Undefined`; missing parent: an error, as in Node-RED.
    pub fn get(&self, msg: &Value) -> Result<Value, PathError> {
        self.get_in(msg, Some(msg))
    }

    /// Reads the property of `root`; nested expressions look into `msg`.
    pub fn get_in(&self, root: &Value, msg: Option<&Value>) -> Result<Value, PathError> {
        let mut at = root.clone();
        for part in &self.parts {
            let looked_up;
            let part = if let PathPart::Nested(_) = part {
                looked_up = part.resolve(msg)?;
                &looked_up
            } else {
                part
            };
            let parent = match &at {
                Value::Undefined => "undefined",
                Value::Null => "null",
                _ => {
                    at = step(&at, part);
                    continue;
                }
            };
            return Err(PathError::NoParent { parent, key: part.name().to_string() });
        }
        Ok(at)
    }

    /// Sets the property of a message; `Undefined` deletes it, as in Node-RED. With `create`, missing parents become
    /// objects or arrays. Returns false when a parent is missing and was not created.
    pub fn set(&self, msg: &mut Value, value: Value, create: bool) -> Result<bool, PathError> {
        let parts = self.steps(Some(&*msg))?;
        set_parts(msg, &parts, value, create)
    }

    /// As [`Path::set`] on another root than the message.
    pub fn set_in(&self, root: &mut Value, value: Value, create: bool, msg: Option<&Value>) -> Result<bool, PathError> {
        let parts = self.steps(msg)?;
        set_parts(root, &parts, value, create)
    }

    /// The steps with nested expressions looked up in the message.
    pub fn resolved(&self, msg: Option<&Value>) -> Result<Vec<PathPart>, PathError> {
        self.parts.iter().map(|part| part.resolve(msg)).collect()
    }

    /// The same without a copy where there are no nested expressions, as in most paths.
    fn steps(&self, msg: Option<&Value>) -> Result<Cow<'_, [PathPart]>, PathError> {
        if self.parts.iter().any(|part| matches!(part, PathPart::Nested(_))) {
            return self.resolved(msg).map(Cow::Owned);
        }
        Ok(Cow::Borrowed(&self.parts))
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                PathPart::Key(key) if at == 0 => write!(f, "{key}")?,
                PathPart::Key(key) if key.contains('"') => write!(f, "['{key}']")?,
                PathPart::Key(key) => write!(f, "[\"{key}\"]")?,
                PathPart::Index(index) if at == 0 => write!(f, "{index}")?,
                PathPart::Index(index) => write!(f, "[{index}]")?,
                PathPart::Nested(path) => write!(f, "[msg.{path}]")?,
            }
        }
        Ok(())
    }
}

/// The index that JavaScript takes a name for: digits, without a zero in front.
fn index_of_name(name: &str) -> Option<usize> {
    let digits = !name.is_empty() && name.len() <= 10 && name.bytes().all(|byte| byte.is_ascii_digit());
    let plain = name == "0" || !name.starts_with('0');
    (digits && plain).then(|| name.parse().ok()).flatten()
}

pub(super) fn index_of(part: &PathPart) -> Option<usize> {
    match part {
        PathPart::Index(index) => Some(*index),
        PathPart::Key(name) => index_of_name(name),
        PathPart::Nested(_) => None,
    }
}

pub(super) fn step(at: &Value, part: &PathPart) -> Value {
    match part {
        PathPart::Index(index) => at.element(*index).unwrap_or_else(|| at.get(&part.name())),
        part => at.member(&part.name()),
    }
}

impl Value {
    /// `value[index]` of an array, a Buffer or a string; `None` for anything else.
    fn element(&self, index: usize) -> Option<Value> {
        Some(match self {
            Value::Array(items) => items.get(index).cloned().unwrap_or_default(),
            Value::Buffer(bytes) => bytes.get(index).map_or(Value::Undefined, |byte| Value::Number(f64::from(*byte))),
            Value::String(text) => text.chars().nth(index).map_or(Value::Undefined, |c| Value::from(c.to_string())),
            _ => return None,
        })
    }

    /// `value[name]` as JavaScript reads it, `payload.0` and `payload.length` of arrays, Buffers and strings included.
    pub fn member(&self, name: &str) -> Value {
        match self {
            Value::Array(_) | Value::Buffer(_) | Value::String(_) => {}
            other => return other.get(name),
        }
        if let Some(index) = index_of_name(name) {
            return self.element(index).unwrap_or_default();
        }
        match (self, name) {
            (Value::Array(items), "length") => Value::Number(items.len() as f64),
            (Value::Buffer(bytes), "length") => Value::Number(bytes.len() as f64),
            (Value::String(text), "length") => Value::Number(text.encode_utf16().count() as f64),
            _ => Value::Undefined,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Object, parse_json};

    fn get(text: &str) -> Result<Value, PathError> {
        let msg = parse_json(br#"{"topic":"t","payload":{"a b":[10,{"c":3}],"t":"yes","0":"zero"}}"#).unwrap();
        Path::message(text)?.get(&msg)
    }

    #[test]
    fn reads() {
        assert_eq!(get(r#"payload["a b"][1].c"#), Ok(Value::Number(3.0)));
        assert_eq!(get("msg.payload[msg.topic]"), Ok(Value::from("yes")));
        assert_eq!(get("payload.0"), Ok(Value::from("zero")));
        assert_eq!(get("payload.none"), Ok(Value::Undefined));
        assert_eq!(get("payload.none.x").unwrap_err().to_string(), "Cannot read properties of undefined (reading 'x')");
    }

    #[test]
    fn a_name_of_digits_is_an_index_where_javascript_takes_it_for_one() {
        let of = |json: &str| parse_json(json.as_bytes()).unwrap();
        let read = |text: &str, json: &str| Path::message(text).unwrap().get(&of(json)).unwrap();
        assert_eq!(read("payload.1", r#"{"payload":[7,8]}"#), Value::Number(8.0));
        assert_eq!(read("payload.1.a", r#"{"payload":[7,{"a":9}]}"#), Value::Number(9.0));
        assert_eq!(read("payload.0", r#"{"payload":"xyz"}"#), Value::from("x"));
        assert_eq!(read("payload.01", r#"{"payload":[7,8]}"#), Value::Undefined);
        assert_eq!(read("payload.9", r#"{"payload":[7,8]}"#), Value::Undefined);
        let bytes =
            Value::from([(Str::from("payload"), Value::Buffer(vec![1, 2].into()))].into_iter().collect::<Object>());
        assert_eq!(Path::message("payload.1").unwrap().get(&bytes), Ok(Value::Number(2.0)));

        let write = |text: &str, json: &str, value: Value| {
            let mut msg = of(json);
            let done = Path::message(text).unwrap().set(&mut msg, value, true);
            (done, crate::stringify(&msg).unwrap().unwrap())
        };
        assert_eq!(write("payload.1", r#"{"payload":[7]}"#, Value::Null), (Ok(true), r#"{"payload":[7,null]}"#.into()));
        assert_eq!(write("p.1.a", r#"{"p":[7,{}]}"#, true.into()), (Ok(true), r#"{"p":[7,{"a":true}]}"#.into()));
        // `delete` leaves a hole, where `[0]` splices.
        assert_eq!(write("p.0", r#"{"p":[7,8]}"#, Value::Undefined), (Ok(true), r#"{"p":[null,8]}"#.into()));
        assert_eq!(write("p[0]", r#"{"p":[7,8]}"#, Value::Undefined), (Ok(true), r#"{"p":[8]}"#.into()));
        // What is missing is made an object for a name, whatever its letters.
        assert_eq!(write("p.0", "{}", true.into()), (Ok(true), r#"{"p":{"0":true}}"#.into()));
        for (set, byte) in [(Value::Number(258.9), 2), (Value::Number(-1.0), 255), (Value::from("red"), 0)] {
            let mut msg = bytes.clone();
            assert_eq!(Path::message("payload.0").unwrap().set(&mut msg, set, true), Ok(true));
            assert_eq!(msg.get("payload"), Value::Buffer(vec![byte, 2].into()));
        }
    }

    #[test]
    fn refuses_malformed_expressions() {
        for text in ["", ".a", "a.", "a b", "a[", "a[x]", "a['b", "a]b", "'a'b", "a[''].b", "a[msg.", "a..b", "a.[1]"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn writes_and_deletes() {
        let mut msg = Value::object();
        let before = msg.clone();
        assert_eq!(Path::parse("a.b[2].c").unwrap().set(&mut msg, Value::Bool(true), true), Ok(true));
        assert_eq!(before, Value::object());
        assert_eq!(crate::stringify(&msg).unwrap().unwrap(), r#"{"a":{"b":[null,null,{"c":true}]}}"#);
        assert_eq!(Path::parse("a.b").unwrap().set(&mut msg, Value::Undefined, true), Ok(true));
        assert_eq!(crate::stringify(&msg).unwrap().unwrap(), r#"{"a":{}}"#);
        assert_eq!(Path::parse("x.y").unwrap().set(&mut msg, Value::Null, false), Ok(false));
    }

    #[test]
    fn writes_where_the_message_says() {
        let mut msg = parse_json(br#"{"topic":"t","at":1,"payload":{}}"#).unwrap();
        let mut set = |text: &str| Path::message(text).unwrap().set(&mut msg, Value::Number(1.0), true);
        assert_eq!(set("payload[msg.topic]"), Ok(true));
        assert_eq!(set("msg.payload.list[msg.at]"), Ok(true));
        assert!(set("payload[msg.nothing].x").is_err());
        assert_eq!(
            crate::stringify(&msg).unwrap().unwrap(),
            r#"{"topic":"t","at":1,"payload":{"t":1,"list":[null,1]}}"#
        );
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in ".{0,40}") {
            let mut msg = Value::object();
            if let Ok(path) = Path::parse(&text) {
                let _ = path.set(&mut msg, Value::Null, true);
                let _ = path.get(&msg);
            }
        }
    }
}
