//! Typed inputs: a value and how to read it.
//!
//! Source: `evaluateNodeProperty` of Node-RED's `util`.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use crate::clock::now_ms;
use flotilla_value::{Path, RegExpValue, Value, parse_json};

use super::error::ExpressionError;
use super::jsonata::Jsonata;
use super::moment::format_date;
use super::surroundings::{Surroundings, context_get};

/// A typed input, made ready once: paths and expressions are parsed when the node is built.
#[derive(Clone)]
pub struct Typed {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// Known from the start.
    Fixed(Value),
    Date(String),
    Message(Path),
    Context {
        global: bool,
        key: String,
    },
    Jsonata(Rc<Jsonata>),
    Env(String),
    Credential(String),
    /// What only fails when it is used: malformed JSON, a bad path.
    Broken(ExpressionError),
}

/// `{"type":"Buffer"}` data: an array of bytes, or a text.
fn buffer(text: &str) -> Result<Value, ExpressionError> {
    match parse_json(text.as_bytes())? {
        Value::Array(items) => Ok(Value::Buffer(items.iter().map(|item| item.to_number() as i64 as u8).collect())),
        Value::String(text) => Ok(Value::Buffer(Bytes::copy_from_slice(text.as_bytes()))),
        _ => Err(ExpressionError::with_code("Not string or array", "INVALID_BUFFER_DATA")),
    }
}

impl Typed {
    /// Makes a value ready.
    ///
    /// # Errors
    /// When a JSONata expression cannot be parsed. Everything else that is malformed fails when it is evaluated, as in
    /// Node-RED.
    pub fn prepare(kind: &str, value: &Value) -> Result<Typed, ExpressionError> {
        let text = value.to_text();
        let or_broken = |made: Result<Value, ExpressionError>| made.map_or_else(Kind::Broken, Kind::Fixed);
        let kind = match kind {
            "str" => Kind::Fixed(Value::String(text)),
            "num" => Kind::Fixed(Value::Number(value.to_number())),
            "json" => or_broken(parse_json(text.as_bytes()).map_err(ExpressionError::from)),
            "re" => Kind::Fixed(Value::RegExp(Arc::new(RegExpValue { source: text, flags: "".into() }))),
            "date" => Kind::Date(if value.truthy() { text.to_string() } else { String::new() }),
            "bin" => or_broken(buffer(&text)),
            "msg" => match Path::message(&text) {
                Ok(path) => Kind::Message(path),
                Err(error) => Kind::Broken(error.into()),
            },
            "flow" | "global" => Kind::Context { global: kind == "global", key: text.to_string() },
            "bool" => Kind::Fixed(Value::Bool(text.eq_ignore_ascii_case("true"))),
            "jsonata" => Kind::Jsonata(Jsonata::compile(&text)?),
            "env" => Kind::Env(text.to_string()),
            "cred" => Kind::Credential(text.to_string()),
            _ => Kind::Fixed(value.clone()),
        };
        Ok(Typed { kind })
    }

    /// A value that is what it is.
    pub fn fixed(value: impl Into<Value>) -> Typed {
        Typed { kind: Kind::Fixed(value.into()) }
    }

    /// The value for a message.
    ///
    /// # Errors
    /// When a parent on a message's path is missing, a context store is away, JSON is malformed, or JSONata fails.
    pub fn evaluate<S: Surroundings + Clone + 'static>(
        &self,
        around: &S,
        msg: &Value,
    ) -> Result<Value, ExpressionError> {
        self.evaluate_with(around, msg, &[])
    }

    /// As [`Typed::evaluate`], with variables for JSONata.
    pub fn evaluate_with<S: Surroundings + Clone + 'static>(
        &self,
        around: &S,
        msg: &Value,
        variables: &[(&str, Value)],
    ) -> Result<Value, ExpressionError> {
        match &self.kind {
            Kind::Fixed(value) => Ok(value.clone()),
            Kind::Date(format) => Ok(date(format)),
            Kind::Message(path) => Ok(path.get(msg)?),
            Kind::Context { global, key } => context_get(around, *global, key, Some(msg)),
            Kind::Jsonata(jsonata) => jsonata.evaluate(Rc::new(around.clone()), msg, variables),
            Kind::Env(text) => Ok(env(around, text)),
            Kind::Credential(name) => Ok(around.credential(name).map_or(Value::Undefined, Value::from)),
            Kind::Broken(error) => Err(error.clone()),
        }
    }

    /// True for values of a context.
    pub fn is_context(&self) -> bool {
        matches!(self.kind, Kind::Context { .. })
    }

    /// True for JSONata expressions.
    pub fn is_jsonata(&self) -> bool {
        matches!(self.kind, Kind::Jsonata(_))
    }
}

fn date(format: &str) -> Value {
    let now = now_ms();
    match format {
        "" => Value::Number(now),
        "object" => Value::Date(now),
        "iso" => Value::from(flotilla_value::date_to_iso(now).unwrap_or_default()),
        format => Value::from(format_date(now, format)),
    }
}

/// `NAME`, `${NAME}`, or a text with `${NAME}` inside; what nothing defines is empty.
///
/// Source: `evaluateEnvProperty`.
pub(super) fn env(around: &dyn Surroundings, text: &str) -> Value {
    let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.contains('}'));
    if let Some(name) = whole {
        return around.env(name).unwrap_or_else(|| Value::from(""));
    }
    let (mut out, mut rest, mut replaced) = (String::new(), text, false);
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}').filter(|end| *end > 2) else { break };
        replaced = true;
        out.push_str(&rest[..start]);
        if let Some(value) = around.env(&rest[start + 2..start + end]) {
            out.push_str(&value.to_text());
        }
        rest = &rest[start + end + 1..];
    }
    if !replaced {
        return around.env(text).unwrap_or_else(|| Value::from(""));
    }
    out.push_str(rest);
    Value::from(out)
}
