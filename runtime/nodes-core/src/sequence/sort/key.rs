//! What things are sorted by.

use std::rc::Rc;

use flotilla_engine::expression::Jsonata;
use flotilla_engine::{NodeCx, NodeError};
use flotilla_value::{Path, Value};

/// What things are sorted by.
pub(super) enum Key {
    /// The element of an array itself.
    Element,
    /// A property of the message.
    Property(Path),
    /// An expression over the message or element.
    Expression(Rc<Jsonata>),
}

impl Key {
    /// A JSONata expression; malformed ones refuse the node.
    pub(super) fn expression(cx: &NodeCx, text: &str) -> Result<Key, NodeError> {
        let compiled = Jsonata::compile(text);
        compiled.map(Key::Expression).map_err(|error| NodeError::new(invalid(cx, &error.to_text())))
    }

    /// The value to compare; the error's text otherwise.
    pub(super) fn of(&self, item: &Value, cx: &NodeCx) -> Result<Value, String> {
        match self {
            Key::Element => Ok(item.clone()),
            Key::Property(path) => path.get(item).map_err(|error| error.to_string()),
            Key::Expression(expression) => {
                expression.evaluate(Rc::new(cx.clone()), item, &[]).map_err(|error| invalid(cx, &error.to_text()))
            }
        }
    }
}

fn invalid(cx: &NodeCx, message: &str) -> String {
    cx.text("sort.invalid-exp", &[("message", message)])
}
