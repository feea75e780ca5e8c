//! Values of messages and context: JSON, and objects that stand for what JSON cannot say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::DateTime;
use serde_json::{Map, Value as Json};

use flotilla_value::{Object, Str, Value, from_json};

use super::cursor::Cursor;

/// The value; problems are noted, and stand as `undefined`.
pub(super) fn literal(at: &Cursor<'_>) -> Value {
    match at.json {
        Json::Array(_) => Value::array(at.items().iter().map(literal).collect()),
        Json::Object(map) => special(at, map).unwrap_or_else(|| Value::from(object(at))),
        plain => from_json(plain),
    }
}

/// The properties of an object.
pub(super) fn object(at: &Cursor<'_>) -> Object {
    at.entries().iter().map(|(key, value)| (Str::new(key), literal(value))).collect()
}

/// `{"$buffer": ...}` and `{"$date": ...}`; `None` for any other object.
pub(super) fn special(at: &Cursor<'_>, map: &Map<String, Json>) -> Option<Value> {
    let mut fields = map.iter();
    let (Some((key, _)), None) = (fields.next(), fields.next()) else { return None };
    let (_, value) = at.entries().into_iter().next()?;
    match key.as_str() {
        "$buffer" => Some(buffer(&value)),
        "$date" => Some(date(&value)),
        _ => None,
    }
}

fn buffer(at: &Cursor<'_>) -> Value {
    let bytes = match at.json {
        Json::String(text) => STANDARD.decode(text).ok(),
        Json::Array(items) => items.iter().map(|item| item.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect(),
        _ => None,
    };
    match bytes {
        Some(bytes) => Value::Buffer(Bytes::from(bytes)),
        None => {
            at.is_not("base64 or an array of bytes");
            Value::Undefined
        }
    }
}

fn date(at: &Cursor<'_>) -> Value {
    let ms = match at.json {
        Json::String(text) => DateTime::parse_from_rfc3339(text).ok().map(|date| date.timestamp_millis() as f64),
        other => other.as_f64(),
    };
    match ms {
        Some(ms) => Value::Date(ms),
        None => {
            at.is_not("a date like \"2026-01-31T12:00:00Z\" or milliseconds since 1970");
            Value::Undefined
        }
    }
}
