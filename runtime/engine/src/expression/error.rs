//! Why an expression gave nothing.

use std::sync::Arc;

use crate::context::ContextError;
use crate::message::STORE_AWAY;
use flotilla_value::{ErrorValue, ParseError, PathError, Str, Value};

/// Why an expression could not be read or evaluated. Flows can catch it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{message}")]
pub struct ExpressionError {
    /// What went wrong, in the words of the library that met it.
    pub message: String,
    /// A code such as `INVALID_EXPR` or JSONata's `T2001`.
    pub code: Option<String>,
}

impl ExpressionError {
    /// An error without a code.
    pub fn new(message: impl Into<String>) -> ExpressionError {
        ExpressionError { message: message.into(), code: None }
    }

    /// An error with a code.
    pub fn with_code(message: impl Into<String>, code: &str) -> ExpressionError {
        ExpressionError { message: message.into(), code: Some(code.to_owned()) }
    }

    /// `String(error)` of the JavaScript error that Node-RED would throw.
    pub fn to_text(&self) -> String {
        format!("Error: {}", self.message)
    }
}

impl From<PathError> for ExpressionError {
    fn from(error: PathError) -> ExpressionError {
        match error {
            PathError::Invalid(message) => ExpressionError::with_code(message, "INVALID_EXPR"),
            other => ExpressionError::new(other.to_string()),
        }
    }
}

impl From<ContextError> for ExpressionError {
    fn from(error: ContextError) -> ExpressionError {
        let code = matches!(error, ContextError::Unavailable { .. }).then(|| STORE_AWAY.to_owned());
        ExpressionError { message: error.to_string(), code }
    }
}

impl From<ParseError> for ExpressionError {
    fn from(error: ParseError) -> ExpressionError {
        ExpressionError::new(error.to_string())
    }
}

impl From<ExpressionError> for Value {
    fn from(error: ExpressionError) -> Value {
        let mut value = ErrorValue::new(&error.message);
        if let Some(code) = error.code {
            value.props.insert("code", Str::from(code));
        }
        Value::Error(Arc::new(value))
    }
}
