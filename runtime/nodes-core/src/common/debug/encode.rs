//! Values for the sidebar: text, with the format beside it.
//!
//! Source: `encodeObject` of Node-RED's `util`; the editor reads what this writes.

use serde_json::{Map, Value as Json, json};

use flotilla_value::{ErrorValue, Object, Value, number_to_string};

/// The sidebar's `msg` and `format`; long values are cut at `limit`.
pub(super) fn encode(value: &Value, limit: usize) -> (Value, String) {
    let text = |json: &Json| Value::from(json.to_string());
    match value {
        Value::Error(error) => (text(&error_json(error)), "error".to_owned()),
        Value::Buffer(bytes) => {
            let hex: String = bytes.iter().take(limit.div_ceil(2)).map(|byte| format!("{byte:02x}")).collect();
            (Value::from(hex.chars().take(limit).collect::<String>()), format!("buffer[{}]", bytes.len()))
        }
        Value::Array(items) => (text(&nested(value, limit, "array")), format!("array[{}]", items.len())),
        Value::Typed(array) => {
            let length = value_length(value);
            (text(&nested(value, limit, &array.kind)), format!("{}[{length}]", array.kind))
        }
        Value::Set(items) => (text(&nested(value, limit, "set")), format!("set[{}]", items.len())),
        Value::Map(_) => (text(&nested(value, limit, "map")), "map".to_owned()),
        Value::RegExp(_) => (Value::String(value.to_text()), "regexp".to_owned()),
        Value::Date(_) => (Value::String(value.to_text()), "Date".to_owned()),
        Value::Object(_) | Value::Host(_) | Value::Circular(_) => {
            (text(&nested(value, limit, "")), "Object".to_owned())
        }
        Value::Function(_) => (Value::from("[function]"), "function".to_owned()),
        Value::Bool(_) => (Value::String(value.to_text()), "boolean".to_owned()),
        Value::Number(_) => (Value::String(value.to_text()), "number".to_owned()),
        Value::BigInt(digits) => {
            let data = json!({"__enc__": true, "type": "bigint", "data": digits.as_str()});
            (flotilla_value::from_json(&data), "bigint".to_owned())
        }
        Value::Null => (Value::from("(undefined)"), "null".to_owned()),
        Value::Undefined => (Value::from("(undefined)"), "undefined".to_owned()),
        Value::String(whole) => {
            let format = format!("string[{}]", whole.encode_utf16().count());
            (Value::from(cut(whole, limit)), format)
        }
    }
}

fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

fn value_length(value: &Value) -> usize {
    match value {
        Value::Typed(_) => value.to_text().split(',').filter(|part| !part.is_empty()).count(),
        Value::Buffer(bytes) => bytes.len(),
        Value::Array(items) | Value::Set(items) => items.len(),
        Value::Map(pairs) => pairs.len(),
        _ => 0,
    }
}

fn error_json(error: &ErrorValue) -> Json {
    let mut data = Map::new();
    data.insert("name".to_owned(), error.name.as_str().into());
    data.insert("message".to_owned(), error.message.as_str().into());
    for key in ["code", "cause"] {
        if let Some(value) = error.props.get(key) {
            data.insert(key.to_owned(), value.to_text().as_str().into());
        }
    }
    if let Some(stack) = &error.stack {
        data.insert("stack".to_owned(), stack.as_str().into());
    }
    json!({"__enc__": true, "type": "error", "data": data})
}

/// A value inside of what is shown. `kind` names the type of what stands at the top.
fn nested(value: &Value, limit: usize, kind: &str) -> Json {
    let list = |items: &[Value]| items.iter().take(limit).map(|item| nested(item, limit, "array")).collect::<Vec<_>>();
    let marked =
        |kind: &str, data: Json, length: usize| json!({"__enc__": true, "type": kind, "data": data, "length": length});
    match value {
        Value::Undefined => json!({"__enc__": true, "type": "undefined"}),
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(number) if !number.is_finite() => {
            json!({"__enc__": true, "type": "number", "data": number_to_string(*number).as_str()})
        }
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Json::from(*number as i64),
        Value::Number(number) => Json::from(*number),
        Value::BigInt(digits) => json!({"__enc__": true, "type": "bigint", "data": digits.as_str()}),
        Value::String(text) => Json::from(cut(text, limit)),
        Value::Buffer(bytes) => {
            let data: Vec<u8> = bytes.iter().take(limit).copied().collect();
            json!({"type": "Buffer", "data": data, "__enc__": true, "length": bytes.len()})
        }
        Value::Typed(array) => {
            let data: Vec<f64> = value.to_text().split(',').take(limit).filter_map(|part| part.parse().ok()).collect();
            let kind = if value_length(value) > limit { array.kind.as_str() } else { "array" };
            marked(kind, json!(data), value_length(value))
        }
        Value::Array(items) if items.len() > limit => {
            marked(if kind.is_empty() { "array" } else { kind }, Json::Array(list(items)), items.len())
        }
        Value::Array(items) => Json::Array(list(items)),
        Value::Set(items) => marked("set", Json::Array(list(items)), items.len()),
        Value::Map(pairs) => {
            let entries = pairs.iter().take(limit);
            let data = entries.map(|(key, item)| (key.to_text().to_string(), nested(item, limit, "")));
            marked("map", Json::Object(data.collect()), pairs.len())
        }
        Value::RegExp(_) => json!({"__enc__": true, "type": "regexp", "data": value.to_text().as_str()}),
        Value::Date(ms) => flotilla_value::date_to_iso(*ms).map_or(Json::Null, Json::from),
        Value::Error(error) => error_json(error),
        Value::Function(_) => json!({"__enc__": true, "type": "function"}),
        Value::Circular(_) => Json::from("[Circular ~]"),
        Value::Host(_) => Json::from("[internal]"),
        Value::Object(object) => object_json(object, limit),
    }
}

fn object_json(object: &Object, limit: usize) -> Json {
    let fields = object.iter().map(|(key, value)| {
        let shown = match key.as_str() {
            "_req" | "_res" => json!({"__enc__": true, "type": "internal"}),
            _ => nested(value, limit, ""),
        };
        (key.to_string(), shown)
    });
    Json::Object(fields.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_and_say_how_long_they_were() {
        let (text, format) = encode(&Value::from("abcdef"), 3);
        assert_eq!((text.to_text().as_str(), format.as_str()), ("abc...", "string[6]"));
        let (text, format) = encode(&Value::array(vec![Value::from(1.0), Value::Undefined, Value::from(3.0)]), 2);
        assert_eq!(format, "array[3]");
        assert!(text.to_text().contains("\"length\":3"), "{text:?}");
        assert_eq!(encode(&Value::Null, 10).1, "null");
    }
}
