//! A message as JSON: what JSON has no form for travels as `{"type": ..., "data": ...}`.

use std::sync::Arc;

use bytes::Bytes;
use flotilla_value::{Object, ParseError, Str, StringifyError, Value, parse_json, stringify};
use rustc_hash::FxHashSet;

/// JSON text of a message. A function is sent as `undefined`: its source stays in its script. Live requests and responses
/// are left out.
///
/// # Errors
/// When the message contains itself, or is nested too deeply.
pub(super) fn encode(message: &Object) -> Result<String, StringifyError> {
    let wrapped = object(message, 0)?;
    Ok(stringify(&wrapped)?.unwrap_or_default())
}

/// What JSON text of a peer says. A function is not revived: that would be the peer's code running here. It stays the
/// object that it is on the wire.
///
/// # Errors
/// When it is not JSON, or what it says of a wrapped value makes no sense.
pub(super) fn decode(text: &[u8]) -> Result<Value, DecodeError> {
    revived(parse_json(text)?)
}

/// Why what a peer sent cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    #[error(transparent)]
    Json(#[from] ParseError),
    #[error("the message has a {0} that cannot be read")]
    Wrapped(&'static str),
    #[error("what came is not a message but {0}")]
    NoMessage(&'static str),
}

/// Deeper than this is taken to be damaged or hostile; `stringify` has the same bound.
const MAX_DEPTH: usize = 512;

fn wrapper(kind: &'static str, data: Value) -> Value {
    [("type", Value::from(kind)), ("data", data)].into_iter().collect::<Object>().into()
}

fn object(object: &Object, depth: usize) -> Result<Value, StringifyError> {
    let mut out = Object::with_capacity(object.len());
    for (key, value) in object.iter().filter(|(_, value)| !matches!(value, Value::Host(_))) {
        out.insert(key.clone(), wrapped(value, depth + 1)?);
    }
    Ok(out.into())
}

fn list<'a>(items: impl Iterator<Item = &'a Value>, depth: usize) -> Result<Value, StringifyError> {
    items.map(|item| wrapped(item, depth + 1)).collect::<Result<Vec<_>, _>>().map(Value::array)
}

fn wrapped(value: &Value, depth: usize) -> Result<Value, StringifyError> {
    if depth > MAX_DEPTH {
        return Err(StringifyError::TooDeep);
    }
    Ok(match value {
        Value::Undefined | Value::Function(_) | Value::Host(_) => wrapper("undefined", "".into()),
        Value::BigInt(digits) => wrapper("bigint", Value::String(digits.clone())),
        Value::Map(entries) => {
            let pairs = entries
                .iter()
                .map(|(key, value)| Ok(Value::array(vec![wrapped(key, depth + 2)?, wrapped(value, depth + 2)?])));
            wrapper("Map", Value::array(pairs.collect::<Result<_, StringifyError>>()?))
        }
        Value::Set(items) => wrapper("Set", list(items.iter(), depth)?),
        Value::Array(items) => list(items.iter(), depth)?,
        Value::Object(own) => object(own, depth)?,
        other => other.clone(),
    })
}

/// `serde_json` has bounded the depth.
fn revived(value: Value) -> Result<Value, DecodeError> {
    match value {
        Value::Array(items) => {
            let items = Arc::unwrap_or_clone(items).into_iter().map(revived);
            Ok(Value::array(items.collect::<Result<_, _>>()?))
        }
        Value::Object(object) => {
            let mut object = Arc::unwrap_or_clone(object);
            for (_, value) in object.iter_mut() {
                *value = revived(std::mem::take(value))?;
            }
            unwrapped(object)
        }
        other => Ok(other),
    }
}

fn unwrapped(object: Object) -> Result<Value, DecodeError> {
    let (kind, data) = (object.get("type").and_then(Value::as_str), object.get("data"));
    let (Some(kind), Some(data)) = (kind, data) else { return Ok(object.into()) };
    match kind {
        "undefined" => Ok(Value::Null),
        "Buffer" => bytes(data).map(Value::Buffer).ok_or(DecodeError::Wrapped("Buffer")),
        "bigint" => digits(data).map(Value::BigInt).ok_or(DecodeError::Wrapped("bigint")),
        "Map" => entries(data).map(|entries| Value::Map(Arc::new(entries))).ok_or(DecodeError::Wrapped("Map")),
        "Set" => data.as_array().map(|items| Value::Set(Arc::new(distinct(items)))).ok_or(DecodeError::Wrapped("Set")),
        _ => Ok(object.into()),
    }
}

/// `Buffer.from`: of an array of numbers, or of text.
fn bytes(data: &Value) -> Option<Bytes> {
    match data {
        Value::Array(items) => Some(items.iter().map(|item| to_byte(item.to_number())).collect()),
        Value::String(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
        Value::Buffer(bytes) => Some(bytes.clone()),
        _ => None,
    }
}

/// JavaScript's `ToUint8`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the remainder is below 256")]
fn to_byte(number: f64) -> u8 {
    if number.is_finite() { number.trunc().rem_euclid(256.0) as u8 } else { 0 }
}

fn digits(data: &Value) -> Option<Str> {
    let text = data.to_text();
    let digits = text.strip_prefix('-').unwrap_or(&text);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.clone())
}

fn entries(data: &Value) -> Option<Vec<(Value, Value)>> {
    let pair = |item: &Value| {
        let pair = item.as_array()?;
        Some((pair.first().cloned().unwrap_or_default(), pair.get(1).cloned().unwrap_or_default()))
    };
    data.as_array()?.iter().map(pair).collect()
}

/// Texts and numbers once each; other values are told apart by what they are, not by what they say.
fn distinct(items: &[Value]) -> Vec<Value> {
    let (mut texts, mut numbers) = (FxHashSet::<&str>::default(), FxHashSet::<u64>::default());
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        let is_new = match item {
            Value::String(text) => texts.insert(text.as_str()),
            Value::Number(number) => numbers.insert(number.to_bits()),
            _ => true,
        };
        if is_new {
            kept.push(item.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(value: Value) -> Value {
        let message: Object = [("payload", value)].into_iter().collect();
        decode(encode(&message).unwrap().as_bytes()).unwrap().get("payload")
    }

    #[test]
    fn what_json_has_no_form_for_comes_back() {
        let text = |value: &Value| encode(&[("p", value.clone())].into_iter().collect()).unwrap();
        let buffer = Value::Buffer(Bytes::from_static(&[0, 255]));
        assert_eq!(text(&buffer), r#"{"p":{"type":"Buffer","data":[0,255]}}"#);
        assert!(matches!(there_and_back(buffer.clone()), Value::Buffer(bytes) if bytes[..] == [0, 255]));
        let map = Value::Map(Arc::new(vec![("k".into(), buffer), (Value::Number(1.0), Value::Undefined)]));
        let wire = r#"{"p":{"type":"Map","data":[["k",{"type":"Buffer","data":[0,255]}],[1,{"type":"undefined","data":""}]]}}"#;
        assert_eq!(text(&map), wire);
        assert!(matches!(there_and_back(map), Value::Map(entries) if matches!(entries[0].1, Value::Buffer(_))));
        let set = Value::Set(Arc::new(vec!["a".into(), 2.0.into()]));
        assert_eq!(text(&set), r#"{"p":{"type":"Set","data":["a",2]}}"#);
        assert!(matches!(there_and_back(set), Value::Set(items) if items.len() == 2));
        assert_eq!(text(&Value::BigInt("-9".into())), r#"{"p":{"type":"bigint","data":"-9"}}"#);
        assert!(matches!(there_and_back(Value::BigInt("12345678901234567890".into())), Value::BigInt(_)));
        assert!(matches!(there_and_back(Value::Undefined), Value::Null), "as in the package");
        assert_eq!(text(&Value::Date(0.0)), r#"{"p":"1970-01-01T00:00:00.000Z"}"#);
    }

    #[test]
    fn a_function_of_a_peer_stays_text() {
        let came = decode(br#"{"payload":{"type":"function","data":"process.exit()"}}"#).unwrap();
        assert_eq!(came.get("payload").get("data").as_str(), Some("process.exit()"));
        assert_eq!(came.get("payload").type_of(), "object");
        let own = encode(&[("payload", Value::Function("f".into()))].into_iter().collect()).unwrap();
        assert_eq!(own, r#"{"payload":{"type":"undefined","data":""}}"#);
    }

    #[test]
    fn wrapped_values_that_make_no_sense_are_errors_and_no_panics() {
        for data in [r#"{"type":"Map","data":[1]}"#, r#"{"type":"Set","data":{}}"#, r#"{"type":"bigint","data":"x"}"#] {
            assert!(decode(data.as_bytes()).is_err(), "{data}");
        }
        assert!(decode(b"{").is_err());
        let own = decode(br#"{"type":"press","data":[1]}"#).unwrap();
        assert_eq!(own.get("type").as_str(), Some("press"));
        let mut deep = Value::Null;
        for _ in 0..2000 {
            deep = Value::array(vec![deep]);
        }
        assert_eq!(encode(&[("p", deep)].into_iter().collect()), Err(StringifyError::TooDeep));
    }
}
