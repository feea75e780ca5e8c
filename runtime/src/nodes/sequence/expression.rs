//! JSONata for the nodes of this group.

use crate::engine::NodeCx;
use crate::value::Value;

/// A prepared expression.
pub(super) struct Expression(std::convert::Infallible);

impl Expression {
    /// Prepares an expression; the error's text otherwise.
    pub(super) fn new(_cx: &NodeCx, text: &str) -> Result<Expression, String> {
        Err(format!("JSONata expressions cannot be used in this node yet: {text}"))
    }

    /// Evaluates over a message or element, with extra variables.
    pub(super) async fn evaluate(&self, _input: &Value, _variables: &[(&str, Value)]) -> Result<Value, String> {
        match self.0 {}
    }
}

/// A typed input's value that needs no message.
pub(super) struct TypedValue(std::convert::Infallible);

impl TypedValue {
    /// Prepares the value of this type; the error's text otherwise.
    pub(super) fn new(_cx: &NodeCx, _value: Value, kind: &str) -> Result<TypedValue, String> {
        Err(format!("typed inputs ({kind}) cannot be used in this node yet"))
    }

    /// The value now.
    pub(super) async fn evaluate(&self) -> Result<Value, String> {
        match self.0 {}
    }
}
