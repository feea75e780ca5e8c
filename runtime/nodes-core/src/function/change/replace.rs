//! What a `change` rule makes of a value.

use std::rc::Rc;

use flotilla_engine::expression::{ExpressionError, Regexp, escape_regexp};
use flotilla_value::{Value, number_to_string};

use super::rule::From;

/// What is looked for, ready for one message.
pub(super) struct Wanted {
    kind: &'static str,
    value: Value,
    regexp: Option<Rc<Regexp>>,
}

impl Wanted {
    /// What was written in the edit dialog.
    pub(super) fn given(from: &From) -> Option<Wanted> {
        let From::Given { text, kind, regexp } = from else { return None };
        let kind = match kind.as_str() {
            "num" => "num",
            "bool" => "bool",
            "re" => "re",
            _ => "str",
        };
        Some(Wanted { kind, value: Value::from(text.as_str()), regexp: Some(regexp.clone()) })
    }

    /// What was read from the message or a context.
    ///
    /// # Errors
    /// The type of a value that cannot be looked for.
    pub(super) fn read(value: Value) -> Result<Wanted, String> {
        let (kind, regexp) = match &value {
            Value::Number(_) => ("num", None),
            Value::Bool(_) => ("bool", None),
            Value::RegExp(regexp) => ("re", Regexp::new(&regexp.source, &regexp.flags).ok().map(Rc::new)),
            Value::String(text) => ("str", Regexp::new(&escape_regexp(text), "g").ok().map(Rc::new)),
            other => return Err(format!("unsupported type: {}", other.type_of())),
        };
        Ok(Wanted { kind, value, regexp })
    }

    /// The new value, or `None` when the rule leaves the current one as it is.
    ///
    /// # Errors
    /// When the pattern takes too many steps on this text.
    pub(super) fn replace(
        &self,
        current: &Value,
        value: &Value,
        to_kind: &str,
    ) -> Result<Option<Value>, ExpressionError> {
        Ok(match current {
            Value::String(text) => {
                if self.kind != "re" && *current == self.value {
                    return Ok(Some(value.clone()));
                }
                let replaced = match &self.regexp {
                    Some(regexp) => regexp.replace(text, &value.to_text())?,
                    // JavaScript looks for the text of a number or bool, once.
                    None => text.replacen(self.value.to_text().as_str(), &value.to_text(), 1),
                };
                if to_kind == "bool" && replaced == value.to_text().as_str() {
                    return Ok(Some(value.clone()));
                }
                Some(Value::from(replaced))
            }
            Value::Number(number) if self.kind == "num" => {
                (number_to_string(*number) == number_to_string(self.value.to_number())).then(|| value.clone())
            }
            Value::Bool(flag) if self.kind == "bool" => {
                // A bool that was read is no text, and Node-RED compares texts.
                (self.value.as_str() == Some(if *flag { "true" } else { "false" })).then(|| value.clone())
            }
            _ => None,
        })
    }
}
