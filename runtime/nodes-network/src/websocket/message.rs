//! Frames into messages and messages into frames.

use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use flotilla_engine::message::Msg;
use flotilla_value::{Object, Str, StringifyError, Value, parse_json, stringify};

/// `msg._session`: which connection a message came on, so that websocket out can answer on it.
pub(super) fn session(id: &Str) -> Value {
    let pairs = [("type", Value::from("websocket")), ("id", Value::from(id.clone()))];
    Value::from(pairs.into_iter().collect::<Object>())
}

/// What a frame says; `None` for frames of the protocol itself.
pub(super) fn data(frame: Message) -> Option<Value> {
    match frame {
        Message::Text(text) => Some(Value::from(text.as_str())),
        Message::Binary(bytes) => Some(Value::Buffer(bytes)),
        _ => None,
    }
}

/// The messages of a frame. With `whole` the frame is a message in JSON; what is no JSON is a payload all the same.
///
/// Node-RED hands an array on as `send` takes it: its first element is the message, or the list of messages.
pub(super) fn incoming(data: Value, whole: bool, id: &Str) -> Vec<Object> {
    let payload = |value: Value| [("payload", value)].into_iter().collect::<Object>();
    let parsed = match &data {
        Value::String(text) if whole => parse_json(text.as_bytes()).ok(),
        Value::Buffer(bytes) if whole => parse_json(bytes).ok(),
        _ => None,
    };
    let mut msg = match parsed {
        Some(Value::Array(items)) => {
            return match items.first() {
                Some(Value::Array(list)) => list.iter().filter_map(Value::as_object).cloned().collect(),
                Some(Value::Object(one)) => vec![Object::clone(one)],
                _ => Vec::new(),
            };
        }
        Some(Value::Object(object)) => Object::clone(&object),
        Some(other) => payload(other),
        None => payload(data),
    };
    msg.insert("_session", session(id));
    vec![msg]
}

/// The frame for a message; `None` when there is nothing to send.
pub(super) fn outgoing(msg: &Msg, whole: bool) -> Result<Option<Message>, StringifyError> {
    if whole {
        let mut object = msg.object().clone();
        object.remove("_session");
        return Ok(stringify(&Value::from(object))?.map(text));
    }
    let payload = match msg.get_ref("payload") {
        None => return Ok(None),
        Some(Value::Buffer(bytes)) => return Ok(Some(Message::Binary(bytes.clone()))),
        Some(Value::Null) => "null".to_owned(),
        Some(value) if value.type_of() == "object" => stringify(value)?.unwrap_or_else(|| value.to_text().to_string()),
        Some(value) => value.to_text().to_string(),
    };
    Ok((!payload.is_empty()).then(|| text(payload)))
}

fn text(text: String) -> Message {
    Message::Text(Utf8Bytes::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(objects: Vec<Object>) -> String {
        stringify(&Value::array(objects.into_iter().map(Value::from).collect())).unwrap().unwrap()
    }

    #[test]
    fn frames_become_messages() {
        let id = Str::new("1");
        let session = r#""_session":{"type":"websocket","id":"1"}"#;
        let made = |text: &str, whole| json(incoming(Value::from(text), whole, &id));
        assert_eq!(made(r#"{"a":1}"#, true), format!(r#"[{{"a":1,{session}}}]"#));
        assert_eq!(made(r#"{"a":1}"#, false), format!(r#"[{{"payload":"{{\"a\":1}}",{session}}}]"#));
        assert_eq!(made("7", true), format!(r#"[{{"payload":7,{session}}}]"#));
        assert_eq!(made("null", true), format!(r#"[{{"payload":null,{session}}}]"#));
        assert_eq!(made("{", true), format!(r#"[{{"payload":"{{",{session}}}]"#));
        assert_eq!(made(r#"[[{"a":1},{"b":2}],{"c":3}]"#, true), r#"[{"a":1},{"b":2}]"#);
    }

    #[test]
    fn messages_become_frames() {
        let frame = |json: &str, whole| {
            let msg = Msg::from_value(parse_json(json.as_bytes()).unwrap(), None);
            outgoing(&msg, whole).unwrap().map(|frame| frame.into_text().unwrap().as_str().to_owned())
        };
        assert_eq!(frame(r#"{"payload":{"a":1}}"#, false).as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(frame(r#"{"payload":1}"#, false).as_deref(), Some("1"));
        assert_eq!(frame(r#"{"payload":""}"#, false), None);
        assert_eq!(frame(r#"{"topic":"x"}"#, false), None);
        assert_eq!(frame(r#"{"payload":1,"_session":2}"#, true).as_deref(), Some(r#"{"payload":1}"#));
    }
}
