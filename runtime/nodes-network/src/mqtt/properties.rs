//! MQTT 5's properties between messages, settings and packets.

use bytes::Bytes;

use flotilla_value::{Object, Str, Value, stringify};

use flotilla_mqtt::PublishProps;

/// The properties of an outgoing message. Node-RED's rules: texts have to be texts, numbers are parsed, user properties
/// that are not texts become JSON.
pub(super) fn from_message(get: impl Fn(&str) -> Value) -> Option<Box<PublishProps>> {
    let props = PublishProps {
        response_topic: text(&get("responseTopic")),
        correlation: bytes(&get("correlationData")),
        content_type: text(&get("contentType")),
        expiry: integer(&get("messageExpiryInterval")),
        utf8: flag(&get("payloadFormatIndicator")),
        user: user(&get("userProperties")),
        subscription_ids: Vec::new(),
    };
    (props != PublishProps::default()).then(|| Box::new(props))
}

/// Writes the properties of a received message into its `msg`.
pub(super) fn into_message(props: &PublishProps, msg: &mut Object) {
    let mut set = |key: &'static str, value: Option<Value>| {
        if let Some(value) = value {
            msg.insert(Str::new_static(key), value);
        }
    };
    let filled = |text: &Option<Str>| text.clone().filter(|text| !text.is_empty()).map(Value::String);
    set("responseTopic", filled(&props.response_topic));
    set("correlationData", props.correlation.clone().map(Value::Buffer));
    set("contentType", filled(&props.content_type));
    set("messageExpiryInterval", props.expiry.map(|seconds| Value::Number(f64::from(seconds))));
    set("payloadFormatIndicator", props.utf8.map(Value::Bool));
    if !props.user.is_empty() {
        let mut user = Object::with_capacity(props.user.len());
        for (name, value) in props.user.iter().filter(|(name, _)| name != super::no_local::MARK) {
            // A name that comes more than once has all its values, as in mqtt.js.
            let value = Value::String(value.clone());
            let value = match user.get(name).cloned() {
                None => value,
                Some(Value::Array(values)) => Value::array(values.iter().cloned().chain([value]).collect()),
                Some(first) => Value::array(vec![first, value]),
            };
            user.insert(name.clone(), value);
        }
        if !user.is_empty() {
            set("userProperties", Some(user.into()));
        }
    }
}

pub(super) fn text(value: &Value) -> Option<Str> {
    value.as_str().filter(|text| !text.is_empty()).map(Str::new)
}

pub(super) fn bytes(value: &Value) -> Option<Bytes> {
    match value {
        Value::Buffer(bytes) => Some(bytes.clone()),
        Value::String(text) if !text.is_empty() => Some(Bytes::copy_from_slice(text.as_bytes())),
        Value::Array(items) => Some(items.iter().map(|item| item.to_number() as u8).collect()),
        // What a Buffer is in a flow document: {"type":"Buffer","data":[..]}.
        Value::Object(object) => object.get("data").and_then(bytes),
        _ => None,
    }
}

/// JavaScript's `parseInt`, for numbers that fit.
pub(super) fn integer(value: &Value) -> Option<u32> {
    let number = match value {
        Value::Number(number) => *number,
        Value::String(text) => {
            let digits = text.trim().find(|c: char| !c.is_ascii_digit()).unwrap_or(text.trim().len());
            text.trim()[..digits].parse().ok()?
        }
        _ => return None,
    };
    (number >= 0.0 && number <= f64::from(u32::MAX)).then_some(number as u32)
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// User properties of an object; also of its text, when that begins with a brace.
pub(super) fn user(value: &Value) -> Vec<(Str, Str)> {
    match value {
        Value::Object(object) => object
            .iter()
            .filter_map(|(key, value)| match value {
                Value::String(text) => Some((key.clone(), text.clone())),
                Value::Undefined | Value::Null => None,
                other => Some((key.clone(), Str::from(stringify(other).ok().flatten()?))),
            })
            .collect(),
        Value::String(text) if text.trim_start_matches(' ').starts_with('{') => {
            flotilla_value::parse_json(text.as_bytes()).map(|value| user(&value)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}
