//! What a payload becomes on its way out.

use bytes::Bytes;

use flotilla_engine::message::generate_id;
use flotilla_http::write_query;
use flotilla_value::{Value, stringify};

use super::headers::Headers;

fn octets(value: &Value) -> Bytes {
    match value {
        Value::Buffer(bytes) => bytes.clone(),
        other => Bytes::from(other.to_text().to_string()),
    }
}

fn json(value: &Value) -> Bytes {
    Bytes::from(stringify(value).ok().flatten().unwrap_or_default())
}

/// The body for methods other than GET and HEAD; sets the content type where the flow did not.
pub(super) fn of_payload(payload: &Value, headers: &mut Headers) -> Bytes {
    let kind = headers.get("content-type").unwrap_or_default();
    match payload {
        Value::Object(parts) if kind == "multipart/form-data" => {
            let boundary = format!("--------------------------{}{}", generate_id(), generate_id());
            headers.set("Content-Type", Value::from(format!("multipart/form-data; boundary={boundary}")));
            headers.remove("content-length");
            let parts = parts.iter().filter(|(_, value)| !value.is_nullish());
            multipart(parts.map(|(name, value)| (name.as_str(), value)), &boundary)
        }
        Value::String(_) | Value::Buffer(_) | Value::Number(_) => octets(payload),
        other if kind == "application/x-www-form-urlencoded" => Bytes::from(write_query(other)),
        other => {
            if kind.is_empty() {
                headers.set("Content-Type", Value::from("application/json"));
            }
            json(other)
        }
    }
}

/// The body of a GET that sends its payload.
pub(super) fn of_get(payload: &Value) -> Bytes {
    match payload {
        Value::String(_) | Value::Buffer(_) | Value::Number(_) => octets(payload),
        other => json(other),
    }
}

fn multipart<'a>(parts: impl Iterator<Item = (&'a str, &'a Value)>, boundary: &str) -> Bytes {
    let mut out = Vec::new();
    for (name, value) in parts {
        let (content, options) = match value {
            Value::String(_) | Value::Buffer(_) => (octets(value), Value::Undefined),
            Value::Object(object) if object.contains_key("value") => {
                let inner = value.get("value");
                let content = match inner {
                    Value::Object(_) | Value::Array(_) => json(&inner),
                    _ => octets(&inner),
                };
                (content, value.get("options"))
            }
            other => (json(other), Value::Undefined),
        };
        out.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"").as_bytes());
        let file = match &options {
            Value::String(file) => Value::String(file.clone()),
            options => options.get("filename"),
        };
        if file.truthy() {
            out.extend_from_slice(format!("; filename=\"{}\"", file.to_text()).as_bytes());
        }
        let kind = options.get("contentType");
        if kind.truthy() {
            out.extend_from_slice(format!("\r\nContent-Type: {}", kind.to_text()).as_bytes());
        } else if file.truthy() || matches!(value, Value::Buffer(_)) {
            out.extend_from_slice(b"\r\nContent-Type: application/octet-stream");
        }
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&content);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Bytes::from(out)
}
