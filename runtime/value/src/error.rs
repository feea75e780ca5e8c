//! Error objects.

use std::sync::Arc;

use super::object::Object;
use super::types::{Str, Value};

/// A JavaScript `Error` with what scripts put on it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ErrorValue {
    /// The class, for example `TypeError`.
    pub name: Str,
    /// The message.
    pub message: Str,
    /// The stack, when it came from a script.
    pub stack: Option<Str>,
    /// Own properties, for example `code`.
    pub props: Object,
}

/// How the messages begin that V8 gives to a `TypeError`: nodes say them of a property path that leads nowhere.
const TYPE_ERRORS: &[&str] =
    &["Cannot read properties of ", "Cannot set properties of ", "Cannot convert undefined or null to object"];

impl ErrorValue {
    /// An `Error` with a message; a `TypeError` when it is one of V8's own about properties.
    pub fn new(message: impl AsRef<str>) -> ErrorValue {
        let message = message.as_ref();
        let name = if TYPE_ERRORS.iter().any(|start| message.starts_with(start)) { "TypeError" } else { "Error" };
        ErrorValue { name: Str::new_static(name), message: Str::new(message), ..ErrorValue::default() }
    }

    /// An `Error` with a message and a `code`.
    pub fn with_code(message: impl AsRef<str>, code: &str) -> ErrorValue {
        let mut error = ErrorValue::new(message);
        error.props.insert("code", code);
        error
    }

    /// `String(error)`: `Error: message`.
    pub fn to_text(&self) -> Str {
        match (self.name.is_empty(), self.message.is_empty()) {
            (true, _) => self.message.clone(),
            (_, true) => self.name.clone(),
            _ => Str::from(format!("{}: {}", self.name, self.message)),
        }
    }

    /// `message`, `name`, `stack` or an own property.
    pub fn get(&self, key: &str) -> Value {
        match key {
            "message" => Value::String(self.message.clone()),
            "name" => Value::String(self.name.clone()),
            "stack" => self.stack.clone().map_or(Value::Undefined, Value::String),
            other => self.props.get(other).cloned().unwrap_or_default(),
        }
    }

    /// The error as a value.
    pub fn into_value(self) -> Value {
        Value::Error(Arc::new(self))
    }
}
