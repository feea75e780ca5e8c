//! Property expressions such as `payload.items[0]["a b"]` and `payload[msg.topic]`.
//!
//! Source: `normalisePropertyExpression`, `getObjectProperty` and `setObjectProperty` of Node-RED's `util`, whose
//! messages flows and tests see.

use super::types::{Str, Value};
use super::{number_to_string, object::Object};

/// An expression, parsed once.
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

fn invalid<T>(text: impl Into<String>) -> Result<T, PathError> {
    Err(PathError::Invalid(text.into()))
}

fn unexpected<T>(c: char, at: usize) -> Result<T, PathError> {
    invalid(format!("Invalid property expression: unexpected {c} at position {at}"))
}

impl PathPart {
    fn of(text: &[char]) -> PathPart {
        let text: String = text.iter().collect();
        match text.parse::<usize>() {
            Ok(index) if text.bytes().all(|byte| byte.is_ascii_digit()) => PathPart::Index(index),
            _ => PathPart::Key(Str::from(text)),
        }
    }

    fn resolve(&self, msg: Option<&Value>) -> Result<PathPart, PathError> {
        let PathPart::Nested(path) = self else { return Ok(self.clone()) };
        let found = match msg {
            Some(msg) => path.get_in(msg, Some(msg)).unwrap_or_default(),
            None => Value::Undefined,
        };
        match found {
            Value::Undefined => invalid(format!("Invalid expression: undefined reference : {path}")),
            Value::Number(number) if number >= 0.0 && number.fract() == 0.0 => Ok(PathPart::Index(number as usize)),
            other => Ok(PathPart::Key(other.to_text())),
        }
    }

    fn name(&self) -> Str {
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
        parse(&text.chars().collect::<Vec<_>>())
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
            let part = part.resolve(msg)?;
            let parent = match &at {
                Value::Undefined => "undefined",
                Value::Null => "null",
                _ => {
                    at = step(&at, &part);
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
        let parts = self.resolved(Some(&*msg))?;
        set_parts(msg, &parts, value, create)
    }

    /// As [`Path::set`] on another root than the message.
    pub fn set_in(&self, root: &mut Value, value: Value, create: bool, msg: Option<&Value>) -> Result<bool, PathError> {
        let parts = self.resolved(msg)?;
        set_parts(root, &parts, value, create)
    }

    /// The steps with nested expressions looked up in the message.
    pub fn resolved(&self, msg: Option<&Value>) -> Result<Vec<PathPart>, PathError> {
        self.parts.iter().map(|part| part.resolve(msg)).collect()
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

fn step(at: &Value, part: &PathPart) -> Value {
    match (at, part) {
        (Value::Array(items), PathPart::Index(index)) => items.get(*index).cloned().unwrap_or_default(),
        (Value::Buffer(bytes), PathPart::Index(index)) => {
            bytes.get(*index).map_or(Value::Undefined, |byte| Value::Number(f64::from(*byte)))
        }
        (Value::String(text), PathPart::Index(index)) => {
            text.chars().nth(*index).map_or(Value::Undefined, |c| Value::from(c.to_string()))
        }
        (at, part) => {
            let name = part.name();
            match (at, name.as_str()) {
                (Value::Array(items), "length") => Value::Number(items.len() as f64),
                (Value::Buffer(bytes), "length") => Value::Number(bytes.len() as f64),
                (Value::String(text), "length") => Value::Number(text.encode_utf16().count() as f64),
                (at, name) => at.get(name),
            }
        }
    }
}

fn set_parts(root: &mut Value, parts: &[PathPart], value: Value, create: bool) -> Result<bool, PathError> {
    let Some((first, rest)) = parts.split_first() else { return Ok(false) };
    if rest.is_empty() {
        return assign(root, first, value);
    }
    let current = step(root, first);
    match current {
        Value::Undefined if !create || value.is_undefined() => return Ok(false),
        Value::Undefined => {
            let fresh = match rest[0] {
                PathPart::Index(_) => Value::array(Vec::new()),
                _ => Value::object(),
            };
            assign(root, first, fresh)?;
        }
        Value::Object(_) | Value::Array(_) | Value::Error(_) => {}
        // Node-RED: nothing can be created beneath this type of value.
        _ => return Ok(false),
    }
    drop(current);
    match slot(root, first) {
        Some(child) => set_parts(child, rest, value, create),
        None => Ok(false),
    }
}

fn slot<'a>(at: &'a mut Value, part: &PathPart) -> Option<&'a mut Value> {
    match (at, part) {
        (Value::Array(items), PathPart::Index(index)) => std::sync::Arc::make_mut(items).get_mut(*index),
        (Value::Object(object), part) => std::sync::Arc::make_mut(object).get_mut(&part.name()),
        (Value::Error(error), part) => std::sync::Arc::make_mut(error).props.get_mut(&part.name()),
        _ => None,
    }
}

/// Arrays grow to an index with holes; longer jumps than this are refused rather than filling memory.
const MAX_HOLES: usize = 1_000_000;

fn assign(at: &mut Value, part: &PathPart, value: Value) -> Result<bool, PathError> {
    match (at, part) {
        (Value::Array(items), PathPart::Index(index)) => {
            let items = std::sync::Arc::make_mut(items);
            if value.is_undefined() {
                // Node-RED splices the element out.
                if *index < items.len() {
                    items.remove(*index);
                }
            } else {
                if *index >= items.len() {
                    if *index - items.len() > MAX_HOLES {
                        return Err(PathError::TooLong(*index));
                    }
                    items.resize(*index + 1, Value::Undefined);
                }
                items[*index] = value;
            }
        }
        (Value::Object(object), part) => set_property(std::sync::Arc::make_mut(object), part, value),
        (Value::Error(error), part) => set_property(&mut std::sync::Arc::make_mut(error).props, part, value),
        _ => return Ok(false),
    }
    Ok(true)
}

fn set_property(object: &mut Object, part: &PathPart, value: Value) {
    let name = part.name();
    if value.is_undefined() {
        object.remove(&name);
    } else {
        object.insert(name, value);
    }
}

/// Ends of a string part: what may follow the closing quote.
fn after_quote(text: &[char], i: usize, start: usize, in_box: bool) -> Result<(), PathError> {
    let next = text.get(i + 1);
    if in_box && next != Some(&']') {
        return invalid(format!("Invalid property expression: unexpected array expression at position {start}"));
    }
    match next {
        Some(c) if !in_box && !matches!(c, '[' | '.') => {
            invalid(format!("Invalid property expression: unexpected {c} expression at position {}", i + 1))
        }
        _ => Ok(()),
    }
}

/// The end of a nested `[msg...]` that opens at `open`.
fn nested_end(text: &[char], open: usize) -> Option<usize> {
    let (mut depth, mut quote) = (1, None);
    for (j, c) in text.iter().enumerate().skip(open + 1) {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(*c),
            (c, Some(q)) if *c == q => quote = None,
            ('[', _) => depth += 1,
            (']', _) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(j);
        }
    }
    None
}

fn parse(text: &[char]) -> Result<Path, PathError> {
    if text.is_empty() {
        return invalid("Invalid property expression: zero-length");
    }
    let (mut parts, mut start, mut i) = (Vec::new(), 0, 0);
    let (mut quote, mut in_box) = (None, false);
    while i < text.len() {
        let c = text[i];
        let last = i + 1 == text.len();
        match (quote, c) {
            (Some(q), c) if c == q => {
                if i == start {
                    return invalid(format!("Invalid property expression: zero-length string at position {start}"));
                }
                parts.push(PathPart::Key(text[start..i].iter().collect::<String>().into()));
                after_quote(text, i, start, in_box)?;
                start = i + 1;
                quote = None;
            }
            (Some(_), _) => {}
            (None, '"' | '\'') => {
                if i != start {
                    return unexpected(c, i);
                }
                quote = Some(c);
                start = i + 1;
            }
            (None, '.') => {
                if i == 0 {
                    return unexpected(c, 0);
                }
                if start != i {
                    parts.push(PathPart::of(&text[start..i]));
                }
                if last {
                    return invalid("Invalid property expression: unterminated expression");
                }
                let next = text[i + 1];
                if !(next.is_ascii_alphanumeric() || matches!(next, '$' | '_')) {
                    return unexpected(next, i + 1);
                }
                start = i + 1;
            }
            (None, '[') => {
                if i == 0 {
                    return unexpected(c, i);
                }
                if start != i {
                    parts.push(PathPart::Key(text[start..i].iter().collect::<String>().into()));
                }
                if last {
                    return invalid("Invalid property expression: unterminated expression");
                }
                if text[i + 1..].starts_with(&['m', 's', 'g']) && matches!(text.get(i + 4), Some('.' | '[')) {
                    let Some(end) = nested_end(text, i) else {
                        return invalid(format!("Invalid property expression: unmatched '[' at position {i}"));
                    };
                    let skip = if text[i + 4] == '.' { i + 5 } else { i + 1 };
                    let nested = parse(&text[skip..end])
                        .or_else(|_| invalid(format!("Invalid expression started at position {}", i + 1)))?;
                    parts.push(PathPart::Nested(nested));
                    i = end;
                    start = end + 1;
                } else {
                    let next = text[i + 1];
                    if !(next.is_ascii_digit() || matches!(next, '"' | '\'')) {
                        return unexpected(next, i + 1);
                    }
                    start = i + 1;
                    in_box = true;
                }
            }
            (None, ']') => {
                if !in_box {
                    return unexpected(c, i);
                }
                if start != i {
                    match PathPart::of(&text[start..i]) {
                        index @ PathPart::Index(_) => parts.push(index),
                        _ => {
                            return invalid(format!(
                                "Invalid property expression: unexpected array expression at position {start}"
                            ));
                        }
                    }
                }
                start = i + 1;
                in_box = false;
            }
            (None, ' ') => return invalid(format!("Invalid property expression: unexpected ' ' at position {i}")),
            (None, _) => {}
        }
        i += 1;
    }
    if in_box || quote.is_some() {
        return invalid("Invalid property expression: unterminated expression");
    }
    if start < text.len() {
        parts.push(PathPart::Key(text[start..].iter().collect::<String>().into()));
    }
    Ok(Path { parts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;

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
        assert_eq!(crate::value::stringify(&msg).unwrap().unwrap(), r#"{"a":{"b":[null,null,{"c":true}]}}"#);
        assert_eq!(Path::parse("a.b").unwrap().set(&mut msg, Value::Undefined, true), Ok(true));
        assert_eq!(crate::value::stringify(&msg).unwrap().unwrap(), r#"{"a":{}}"#);
        assert_eq!(Path::parse("x.y").unwrap().set(&mut msg, Value::Null, false), Ok(false));
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
