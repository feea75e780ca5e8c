//! The rules of a switch node.

use std::cmp::Ordering;

use flotilla_engine::NodeCx;
use flotilla_engine::expression::{ExpressionError, Regexp, Typed};
use flotilla_engine::message::Msg;
use flotilla_value::{ErrorValue, Value, parse_json};

use super::compare::{loose_eq, order};

/// One rule.
pub(super) struct Rule {
    /// The operator, for example `eq`.
    pub(super) kind: String,
    first: Operand,
    second: Operand,
    ignore_case: bool,
}

enum Operand {
    /// The value of the message before.
    Previous,
    Typed(Typed),
}

fn operand(value: &Value, kind: &Value) -> Result<Operand, ExpressionError> {
    let numeric = !value.to_number().is_nan();
    let kind = if kind.truthy() { kind.to_text() } else { if numeric { "num" } else { "str" }.into() };
    Ok(match kind.as_str() {
        "prev" => Operand::Previous,
        // A number that is none stays what it is.
        "num" if !numeric => Operand::Typed(Typed::fixed(value.to_number())),
        // Node-RED compares with these words.
        "json" | "null" => Operand::Typed(Typed::fixed(kind.as_str())),
        kind => Operand::Typed(Typed::prepare(kind, value)?),
    })
}

impl Rule {
    /// Reads a rule of the edit dialog.
    ///
    /// # Errors
    /// When a JSONata expression cannot be parsed.
    pub(super) fn prepare(rule: &Value) -> Result<Rule, ExpressionError> {
        let second = match rule.get("v2") {
            Value::Undefined if rule.get("v2t").as_str() != Some("prev") => {
                Operand::Typed(Typed::fixed(Value::Undefined))
            }
            value => operand(&value, &rule.get("v2t"))?,
        };
        Ok(Rule {
            kind: rule.get("t").to_text().to_string(),
            first: operand(&rule.get("v"), &rule.get("vt"))?,
            second,
            ignore_case: rule.get("case").truthy(),
        })
    }

    fn value(
        operand: &Operand,
        cx: &NodeCx,
        msg: &Value,
        previous: &Value,
        variables: &[(&str, Value)],
    ) -> Result<Value, Value> {
        match operand {
            Operand::Previous => Ok(previous.clone()),
            Operand::Typed(typed) => match typed.evaluate_with(cx, msg, variables) {
                Err(error) if typed.is_jsonata() => {
                    Err(cx.text("switch.errors.invalid-expr", &[("error", &error.message)]).into())
                }
                value => Ok(value.unwrap_or_default()),
            },
        }
    }

    /// True when the rule holds for a property of the message.
    ///
    /// # Errors
    /// What is wrong with the rule: an expression that fails, a pattern that is none.
    pub(super) fn holds(&self, cx: &NodeCx, msg: &Msg, property: &Value, previous: &Value) -> Result<bool, Value> {
        let whole = msg.value();
        let parts = whole.get("parts");
        let variables = if self.kind == "jsonata_exp" && has_parts(msg) {
            vec![("I", parts.get("index")), ("N", parts.get("count"))]
        } else {
            Vec::new()
        };
        let first = Self::value(&self.first, cx, &whole, previous, &variables)?;
        let second = Self::value(&self.second, cx, &whole, previous, &[])?;
        self.apply(property, &first, &second, &parts)
    }

    fn apply(&self, a: &Value, b: &Value, c: &Value, parts: &Value) -> Result<bool, Value> {
        let at_most = |a: &Value, b: &Value| matches!(order(a, b), Some(Ordering::Less | Ordering::Equal));
        let part = |name: &str| match parts {
            Value::Undefined => {
                Err(ErrorValue::new(format!("Cannot read properties of undefined (reading '{name}')")).into_value())
            }
            parts => Ok(parts.get(name).to_number()),
        };
        Ok(match self.kind.as_str() {
            "eq" => loose_eq(a, b),
            "neq" => !loose_eq(a, b),
            "lt" => order(a, b) == Some(Ordering::Less),
            "lte" => at_most(a, b),
            "gt" => order(a, b) == Some(Ordering::Greater),
            "gte" => at_most(b, a),
            "btwn" => (at_most(b, a) && at_most(a, c)) || (at_most(a, b) && at_most(c, a)),
            "cont" => a.to_text().contains(b.to_text().as_str()),
            "regex" => {
                let (source, mut flags) = match b {
                    Value::RegExp(regexp) => (regexp.source.to_string(), regexp.flags.to_string()),
                    other => (other.to_text().to_string(), String::new()),
                };
                if self.ignore_case {
                    flags.push('i');
                }
                let regexp = Regexp::new(&source, &flags).map_err(|error| {
                    ErrorValue { name: "SyntaxError".into(), ..ErrorValue::new(error.to_string()) }.into_value()
                })?;
                regexp.is_match(&a.to_text())?
            }
            "true" => *a == Value::Bool(true),
            "false" => *a == Value::Bool(false),
            "null" => a.is_nullish(),
            "nnull" => !a.is_nullish(),
            "empty" => length(a) == Some(0),
            "nempty" => length(a).is_some_and(|length| length > 0),
            "istype" => is_type(a, &b.to_text()),
            "head" => part("index")? < b.to_number(),
            "tail" => part("count")? - b.to_number() <= part("index")?,
            "index" => {
                let index = part("index")?;
                b.to_number() <= index && index <= c.to_number()
            }
            "hask" => b.type_of() != "object" && has_key(a, &b.to_text()),
            "jsonata_exp" => *b == Value::Bool(true),
            "else" => *a == Value::Bool(true),
            other => {
                let text = format!("operators[{other}] is not a function");
                return Err(ErrorValue { name: "TypeError".into(), ..ErrorValue::new(text) }.into_value());
            }
        })
    }
}

/// True when a message belongs to a sequence.
pub(super) fn has_parts(msg: &Msg) -> bool {
    let parts = msg.get_ref("parts").and_then(Value::as_object);
    parts.is_some_and(|parts| parts.contains_key("id") && parts.contains_key("index"))
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.len()),
        Value::Array(items) => Some(items.len()),
        Value::Buffer(bytes) => Some(bytes.len()),
        Value::Object(object) => Some(object.len()),
        Value::Typed(array) => Some(array.bytes.len()),
        Value::Date(_) | Value::RegExp(_) | Value::Map(_) | Value::Set(_) => Some(0),
        Value::Error(error) => Some(error.props.len()),
        Value::Host(host) => Some(host.keys().len()),
        _ => None,
    }
}

fn is_type(value: &Value, kind: &str) -> bool {
    match kind {
        "array" => matches!(value, Value::Array(_)),
        "buffer" => matches!(value, Value::Buffer(_)),
        "json" => parse_json(value.to_text().as_bytes()).is_ok(),
        "null" => matches!(value, Value::Null),
        "number" => value.as_number().is_some_and(|number| !number.is_nan()),
        kind => value.type_of() == kind && !matches!(value, Value::Array(_) | Value::Buffer(_) | Value::Null),
    }
}

fn has_key(value: &Value, key: &str) -> bool {
    let index = || key.parse::<usize>().ok();
    match value {
        Value::Object(object) => object.contains_key(key),
        Value::Error(error) => error.props.contains_key(key) || matches!(key, "message" | "stack"),
        Value::Array(items) => key == "length" || index().is_some_and(|at| at < items.len()),
        Value::String(text) => key == "length" || index().is_some_and(|at| at < text.chars().count()),
        Value::Buffer(bytes) => index().is_some_and(|at| at < bytes.len()),
        Value::Host(host) => host.keys().iter().any(|name| name == key),
        _ => false,
    }
}
