//! What things are sorted by.

use crate::engine::{NodeCx, NodeError};
use crate::nodes::sequence::expression::Expression;
use crate::value::{Path, Value};

/// What things are sorted by.
pub(super) enum Key {
    /// The element of an array itself.
    Element,
    /// A property of the message.
    Property(Path),
    /// An expression over the message or element.
    Expression(Expression),
}

impl Key {
    /// A JSONata expression; malformed ones refuse the node.
    pub(super) fn expression(cx: &NodeCx, text: &str) -> Result<Key, NodeError> {
        let refused = |message: String| NodeError::new(cx.text("sort.invalid-exp", &[("message", &message)]));
        Expression::new(cx, text).map(Key::Expression).map_err(refused)
    }

    /// The value to compare; the error's text otherwise.
    pub(super) async fn of(&self, item: &Value, cx: &NodeCx) -> Result<Value, String> {
        match self {
            Key::Element => Ok(item.clone()),
            Key::Property(path) => path.get(item).map_err(|error| error.to_string()),
            Key::Expression(expression) => {
                let refused = |message: String| cx.text("sort.invalid-exp", &[("message", &message)]);
                expression.evaluate(item, &[]).await.map_err(refused)
            }
        }
    }
}
