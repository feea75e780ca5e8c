//! Payloads: bytes into what a flow sees, and back.

use base64::Engine as _;
use bytes::Bytes;

use flotilla_value::{Str, StringifyError, Value, parse_json, stringify};

use flotilla_mqtt::{DataType, Publish};

/// How Node-RED treats the media types that it knows.
enum Media {
    Text,
    Json,
    Bytes,
}

fn media(content_type: &str) -> Option<Media> {
    Some(match content_type.to_ascii_lowercase().as_str() {
        "text/css" | "text/html" | "text/plain" | "application/xml" => Media::Text,
        "application/json" => Media::Json,
        "application/octet-stream"
        | "application/pdf"
        | "application/x-gtar"
        | "application/x-tar"
        | "application/zip"
        | "audio/aac"
        | "audio/ac3"
        | "audio/basic"
        | "audio/mp4"
        | "audio/ogg"
        | "image/bmp"
        | "image/gif"
        | "image/jpeg"
        | "image/tiff"
        | "image/png" => Media::Bytes,
        _ => return None,
    })
}

fn lossy(bytes: &[u8]) -> Value {
    Value::String(match std::str::from_utf8(bytes) {
        Ok(text) => Str::new(text),
        Err(_) => Str::from(String::from_utf8_lossy(bytes)),
    })
}

/// A received payload as the node's datatype wants it. `v5`: the flow speaks MQTT 5, so what the message says of its
/// content counts; a broker node at 3.1.1 knows nothing of that, whatever the wire speaks.
///
/// # Errors
/// The catalogue key of the error and the payload that the failed message has, when it is to be JSON and is not.
pub(super) fn decode(datatype: DataType, publish: &Publish, v5: bool) -> Result<Value, (&'static str, Value)> {
    let bytes = &publish.payload;
    let props = publish.props.as_deref().filter(|_| v5);
    let says_utf8 = props.is_some_and(|props| props.utf8 == Some(true));
    let json = |raw: &[u8], failed: fn(&Bytes) -> Value| {
        parse_json(raw).map_err(|_| ("mqtt.errors.invalid-json-parse", failed(bytes)))
    };
    let as_it_is = |bytes: &Bytes| Value::Buffer(bytes.clone());
    let detect = datatype == DataType::AutoDetect;
    Ok(match datatype {
        DataType::Buffer => Value::Buffer(bytes.clone()),
        DataType::Base64 => Value::from(base64::engine::general_purpose::STANDARD.encode(bytes)),
        DataType::Utf8 => lossy(bytes),
        DataType::Json if says_utf8 || std::str::from_utf8(bytes).is_ok() => json(bytes, as_it_is)?,
        DataType::Json => return Err(("mqtt.errors.invalid-json-string", as_it_is(bytes))),
        DataType::Auto | DataType::AutoDetect => {
            let content_type = props.and_then(|props| props.content_type.as_deref()).unwrap_or_default();
            match media(content_type) {
                Some(Media::Text) => lossy(bytes),
                Some(Media::Bytes) => Value::Buffer(bytes.clone()),
                Some(Media::Json) => {
                    let parsed = json(bytes, |bytes| lossy(bytes))?;
                    if detect { parsed } else { lossy(bytes) }
                }
                None if says_utf8 || std::str::from_utf8(bytes).is_ok() => match json(bytes, as_it_is) {
                    Ok(parsed) if detect => parsed,
                    _ => lossy(bytes),
                },
                None => Value::Buffer(bytes.clone()),
            }
        }
    })
}

/// A payload for the wire: buffers as they are, objects as JSON, nothing as nothing, the rest as text.
///
/// # Errors
/// When an object cannot be JSON (a cycle).
pub(super) fn encode(payload: &Value) -> Result<Bytes, StringifyError> {
    Ok(match payload {
        Value::Undefined | Value::Null => Bytes::new(),
        Value::Buffer(bytes) => bytes.clone(),
        Value::String(text) => Bytes::copy_from_slice(text.as_bytes()),
        Value::Bool(_) | Value::Number(_) | Value::BigInt(_) | Value::Function(_) => {
            Bytes::copy_from_slice(payload.to_text().as_bytes())
        }
        other => Bytes::from(stringify(other)?.unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_mqtt::PublishProps;

    /// Node-RED: by then a payload whose content type is JSON is text; the node's own JSON type leaves it as it came.
    #[test]
    fn what_is_not_json_fails_with_its_payload() {
        let props = PublishProps { content_type: Some("application/json".into()), ..PublishProps::default() };
        let publish =
            Publish { payload: Bytes::from_static(b"{a"), props: Some(Box::new(props)), ..Publish::default() };
        let (_, payload) = decode(DataType::AutoDetect, &publish, true).unwrap_err();
        assert_eq!(payload.as_str(), Some("{a"));
        let (_, payload) = decode(DataType::Json, &publish, true).unwrap_err();
        assert!(matches!(payload, Value::Buffer(_)));
        assert_eq!(
            decode(DataType::AutoDetect, &publish, false).map(|value| value.to_text().to_string()),
            Ok("{a".into())
        );
    }
}
