//! Values as JSON: plain where JSON can say it, else an object with `"$nr": TAG`.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Number, Value as Json, json};

use flotilla_value::{ErrorValue, Object, RegExpValue, Str, TypedArray, Value, from_json};

/// Nesting beyond this is cut off: no test looks so deep, and a cycle must not end the host.
const MAX_DEPTH: usize = 60;

/// A value as JSON, with tags for what JSON cannot say.
pub fn encode(value: &Value) -> Json {
    encode_at(value, 0)
}

fn encode_at(value: &Value, depth: usize) -> Json {
    if depth > MAX_DEPTH {
        return json!({"$nr": "opaque", "type": "too-deep"});
    }
    let list = |items: &[Value]| Json::Array(items.iter().map(|item| encode_at(item, depth + 1)).collect());
    match value {
        Value::Undefined => json!({"$nr": "undefined"}),
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) => number_to_json(*number),
        Value::BigInt(digits) => json!({"$nr": "bigint", "v": digits.as_str()}),
        Value::String(text) => Json::String(text.to_string()),
        Value::Buffer(bytes) => json!({"$nr": "buffer", "v": STANDARD.encode(bytes)}),
        Value::Typed(array) => json!({"$nr": "typed", "type": array.kind.as_str(), "v": STANDARD.encode(&array.bytes)}),
        Value::Date(ms) => json!({"$nr": "date", "v": number_to_json(*ms)}),
        Value::RegExp(regexp) => json!({"$nr": "regexp", "v": regexp.source.as_str(), "flags": regexp.flags.as_str()}),
        Value::Error(error) => json!({
            "$nr": "error",
            "name": error.name.as_str(),
            "message": error.message.as_str(),
            "stack": error.stack.as_deref().unwrap_or_default(),
            "props": encode_object(&error.props, depth),
        }),
        Value::Array(items) => list(items),
        Value::Set(items) => json!({"$nr": "set", "v": list(items)}),
        Value::Map(pairs) => {
            let pairs =
                pairs.iter().map(|(key, value)| json!([encode_at(key, depth + 1), encode_at(value, depth + 1)]));
            json!({"$nr": "map", "v": pairs.collect::<Vec<_>>()})
        }
        Value::Object(object) => {
            let encoded = encode_object(object, depth);
            if object.contains_key("$nr") { json!({"$nr": "obj", "v": encoded}) } else { encoded }
        }
        Value::Function(name) => json!({"$nr": "function", "name": name.as_str()}),
        Value::Circular(up) => json!({"$nr": "circular", "up": up}),
        Value::Host(host) => json!({"$nr": "opaque", "type": host.class_name()}),
    }
}

fn encode_object(object: &Object, depth: usize) -> Json {
    Json::Object(object.iter().map(|(key, value)| (key.to_string(), encode_at(value, depth + 1))).collect())
}

fn number_to_json(number: f64) -> Json {
    if number == 0.0 && number.is_sign_negative() {
        return json!({"$nr": "num", "v": "-0"});
    }
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Json::from(number as i64);
    }
    match Number::from_f64(number) {
        Some(number) => Json::Number(number),
        None => json!({"$nr": "num", "v": Value::Number(number).to_text().as_str()}),
    }
}

/// The value that tagged JSON stands for.
pub fn decode(json: &Json) -> Value {
    match json {
        Json::Array(items) => Value::array(items.iter().map(decode).collect()),
        Json::Object(map) => match map.get("$nr").and_then(Json::as_str) {
            Some(tag) => decode_tagged(tag, map),
            None => Value::from(decode_object(map)),
        },
        plain => from_json(plain),
    }
}

fn decode_object(map: &Map<String, Json>) -> Object {
    map.iter().map(|(key, value)| (Str::new(key), decode(value))).collect()
}

fn decode_tagged(tag: &str, map: &Map<String, Json>) -> Value {
    let text = |key: &str| map.get(key).and_then(Json::as_str).unwrap_or_default();
    let list = || map.get("v").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let bytes = || Bytes::from(STANDARD.decode(text("v")).unwrap_or_default());
    match tag {
        "num" if text("v") == "-0" => Value::Number(-0.0),
        "num" => Value::Number(Value::from(text("v")).to_number()),
        "bigint" => Value::BigInt(Str::new(text("v"))),
        "buffer" => Value::Buffer(bytes()),
        "typed" => Value::Typed(Arc::new(TypedArray { kind: Str::new(text("type")), bytes: bytes() })),
        "date" => Value::Date(map.get("v").map_or(f64::NAN, |ms| decode(ms).to_number())),
        "regexp" => {
            Value::RegExp(Arc::new(RegExpValue { source: Str::new(text("v")), flags: Str::new(text("flags")) }))
        }
        "error" => Value::Error(Arc::new(ErrorValue {
            name: Str::new(if text("name").is_empty() { "Error" } else { text("name") }),
            message: Str::new(text("message")),
            stack: Some(Str::new(text("stack"))).filter(|stack| !stack.is_empty()),
            props: map.get("props").and_then(Json::as_object).map(decode_object).unwrap_or_default(),
        })),
        "map" => {
            let pair = |pair: &Json| (decode(&pair[0]), decode(&pair[1]));
            Value::Map(Arc::new(list().iter().map(pair).collect()))
        }
        "set" => Value::Set(Arc::new(list().iter().map(decode).collect())),
        "function" => Value::Function(Str::new(text("name"))),
        "circular" => Value::Circular(map.get("up").and_then(Json::as_u64).unwrap_or(0) as u32),
        "opaque" => [("__opaque__", text("type"))].into_iter().collect::<Object>().into(),
        "obj" => map.get("v").and_then(Json::as_object).map(decode_object).unwrap_or_default().into(),
        _ => Value::Undefined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_the_same() {
        let object: Object = [
            ("n", Value::Number(-0.0)),
            ("nan", Value::Number(f64::NAN)),
            ("u", Value::Undefined),
            ("b", Value::Buffer(Bytes::from_static(b"\x00\xff"))),
            ("d", Value::Date(12.0)),
            ("e", Value::Error(Arc::new(ErrorValue::with_code("bad", "E_BAD")))),
            ("$nr", Value::from("mine")),
            ("s", Value::Set(Arc::new(vec![Value::from(1.5)]))),
        ]
        .into_iter()
        .collect();
        let value = Value::array(vec![object.into(), Value::Null]);
        let json = encode(&value);
        assert_eq!(json[0]["$nr"], "obj");
        assert_eq!(decode(&json), value);
    }
}
