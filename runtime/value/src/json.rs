//! JSON text and `serde_json` values to [`Value`] and back.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::json_fault::json_fault;
use super::object::Object;
use super::types::{Str, Value};

/// Why JSON text could not be read, in V8's words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(String);

/// `JSON.parse(text)`, straight into a [`Value`].
///
/// ```
/// use flotilla_value::parse_json;
///
/// assert_eq!(parse_json(b" [1, 2]").unwrap().as_array().map(<[_]>::len), Some(2));
/// let error = parse_json(b"nope").unwrap_err().to_string();
/// assert!(error.starts_with("Unexpected token 'o'"), "{error}");
/// ```
pub fn parse_json(text: &[u8]) -> Result<Value, ParseError> {
    read(text).map_err(|error| {
        let fault = json_fault(&String::from_utf8_lossy(text));
        ParseError(fault.unwrap_or_else(|| error.to_string()))
    })
}

fn read(text: &[u8]) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = ValueSeed.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// A [`Value`] from a parsed JSON document, for example a node's configuration.
pub fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::array(items.iter().map(from_json).collect()),
        serde_json::Value::Object(map) => {
            Value::from(map.iter().map(|(key, value)| (Str::new(key), from_json(value))).collect::<Object>())
        }
    }
}

/// What `JSON.parse(JSON.stringify(value))` would give, as a `serde_json` value; `None` for what JSON leaves out.
pub fn to_json(value: &Value) -> Option<serde_json::Value> {
    let text = super::stringify::stringify(value).ok()??;
    serde_json::from_str(&text).ok()
}

struct ValueSeed;

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(Str::new(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(1024));
        while let Some(item) = seq.next_element_seed(ValueSeed)? {
            items.push(item);
        }
        Ok(Value::Array(Arc::new(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Object::with_capacity(8);
        // A bit for each key so far: one that is not set spares the search for a double.
        let mut marks = 0u64;
        while let Some(key) = map.next_key_seed(KeySeed)? {
            let value = map.next_value_seed(ValueSeed)?;
            let mark = mark(&key);
            if marks & mark == 0 {
                marks |= mark;
                object.add(key, value);
            } else {
                object.insert(key, value);
            }
        }
        Ok(Value::from(object))
    }
}

/// One of 64 bits, from the length and the ends of a key.
fn mark(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let (first, last) = (bytes.first().copied().unwrap_or_default(), bytes.last().copied().unwrap_or_default());
    let mixed = usize::from(first).wrapping_mul(7) ^ usize::from(last).wrapping_mul(31) ^ bytes.len().wrapping_mul(3);
    1 << (mixed % 64)
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Str, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property name")
    }

    fn visit_str<E>(self, text: &str) -> Result<Str, E> {
        Ok(Str::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stringify;

    #[test]
    fn text_comes_back_the_same() {
        let text = r#"{"2":1,"a":[1,2.5,null,true,"x\"\u001f"],"b":{"c":-0.5}}"#;
        let value = parse_json(text.as_bytes()).unwrap();
        assert_eq!(stringify(&value).unwrap().unwrap(), text);
        assert!(parse_json(b"{\"a\":1} x").is_err());
        let doubled = parse_json(br#"{"a":1,"b":2,"1":0,"a":3,"1":4,"b":5}"#).unwrap();
        assert_eq!(stringify(&doubled).unwrap().unwrap(), r#"{"1":4,"a":3,"b":5}"#);
    }
}
