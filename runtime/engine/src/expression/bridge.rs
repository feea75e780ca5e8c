//! Values to what JSONata works on, and back.
//!
//! What JSON cannot say (buffers, dates, host objects, ...) goes through as an object with a mark, so that an expression
//! which only moves it gives the same value back.

use std::cell::RefCell;
use std::rc::Rc;

use indexmap::IndexMap;
use jsonata_core::value::JValue;

use flotilla_value::{Object, Str, Value};

/// The key of the mark: no property of a message has this name.
const MARK: &str = "\u{0}value";

/// Values that an evaluation carries by reference.
#[derive(Default)]
pub(super) struct Carried(RefCell<Vec<Value>>);

impl Carried {
    /// The value as JSONata's.
    pub(super) fn to_jsonata(&self, value: &Value) -> JValue {
        match value {
            Value::Undefined => JValue::Undefined,
            Value::Null => JValue::Null,
            Value::Bool(flag) => JValue::Bool(*flag),
            Value::Number(number) => JValue::Number(*number),
            Value::String(text) => JValue::String(Rc::from(text.as_str())),
            Value::Array(items) => JValue::array(items.iter().map(|item| self.to_jsonata(item)).collect()),
            Value::Object(object) => JValue::object(self.properties(object, |_| true)),
            Value::Error(error) => {
                let mut map = self.properties(&error.props, |_| true);
                map.insert("name".to_owned(), JValue::from(error.name.as_str()));
                map.insert("message".to_owned(), JValue::from(error.message.as_str()));
                self.mark(map, value)
            }
            Value::Buffer(bytes) => {
                let length = JValue::Number(bytes.len() as f64);
                self.mark(IndexMap::from_iter([("length".to_owned(), length)]), value)
            }
            Value::Host(host) => {
                let fields = host.keys().into_iter().map(|key| (key.to_string(), self.to_jsonata(&host.get(&key))));
                self.mark(fields.collect(), value)
            }
            other => self.mark(IndexMap::new(), other),
        }
    }

    /// A message with only the properties that `wanted` names.
    pub(super) fn message(&self, msg: &Value, wanted: impl Fn(&str) -> bool) -> JValue {
        match msg {
            Value::Object(object) => JValue::object(self.properties(object, wanted)),
            other => self.to_jsonata(other),
        }
    }

    fn properties(&self, object: &Object, wanted: impl Fn(&str) -> bool) -> IndexMap<String, JValue> {
        let kept = object.iter().filter(|(key, value)| wanted(key) && !value.is_undefined());
        kept.map(|(key, value)| (key.to_string(), self.to_jsonata(value))).collect()
    }

    /// An object with a mark of the host beside the value that it stands for.
    pub(super) fn marked<const N: usize>(&self, marks: [(String, JValue); N], value: &Value) -> JValue {
        self.mark(IndexMap::from_iter(marks), value)
    }

    fn mark(&self, mut map: IndexMap<String, JValue>, value: &Value) -> JValue {
        let mut carried = self.0.borrow_mut();
        map.insert(MARK.to_owned(), JValue::Number(carried.len() as f64));
        carried.push(value.clone());
        JValue::object(map)
    }

    /// A text with carried values in it: an expression turned them into JSON with the mark, JavaScript shows their own JSON.
    fn unmarked(&self, text: &str) -> Str {
        let marked = format!("{}:", serde_json::Value::from(MARK));
        if !text.contains(&marked) {
            return Str::new(text);
        }
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find(&marked) {
            let behind = &rest[at + marked.len()..];
            let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
            let value = behind[..digits].parse().ok().and_then(|at: usize| self.0.borrow().get(at).cloned());
            let json = value.and_then(|value| flotilla_value::stringify(&value).ok().flatten());
            match (rest[..at].rfind('{'), json) {
                (Some(open), Some(json)) if behind[digits..].starts_with('}') => {
                    out.push_str(&rest[..open]);
                    out.push_str(&json);
                    rest = &behind[digits + 1..];
                }
                _ => {
                    out.push_str(&rest[..at + marked.len()]);
                    rest = behind;
                }
            }
        }
        out.push_str(rest);
        Str::from(out)
    }

    /// What an expression gave.
    pub(super) fn to_value(&self, result: &JValue) -> Value {
        match result {
            JValue::Undefined => Value::Undefined,
            JValue::Null => Value::Null,
            JValue::Bool(flag) => Value::Bool(*flag),
            JValue::Number(number) => Value::Number(*number),
            JValue::String(text) => Value::String(self.unmarked(text)),
            JValue::Array(items) => Value::array(items.iter().map(|item| self.to_value(item)).collect()),
            JValue::Object(map) => {
                if let Some(at) = map.get(MARK).and_then(JValue::as_f64) {
                    return self.0.borrow().get(at as usize).cloned().unwrap_or_default();
                }
                map.iter().map(|(key, item)| (Str::new(key), self.to_value(item))).collect::<Object>().into()
            }
            JValue::Regex { pattern, flags } => Value::RegExp(std::sync::Arc::new(flotilla_value::RegExpValue {
                source: Str::new(pattern),
                flags: Str::new(flags),
            })),
            JValue::Lambda(_) => Value::Function(Str::default()),
            JValue::Builtin { name } => Value::Function(Str::new(name)),
        }
    }
}
