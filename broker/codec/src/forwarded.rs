//! The properties of a message that a broker passes on untouched.

use bytes::{BufMut, BytesMut};

use super::cursor::Cursor;
use super::primitives::{binary, text};
use super::properties::{self as props, Value};

/// One of them (section 3.3.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forwarded<'a> {
    /// Whether the payload is UTF-8.
    Utf8(bool),
    /// The payload's media type.
    ContentType(&'a str),
    /// Where a response goes.
    ResponseTopic(&'a str),
    /// What a response quotes.
    Correlation(&'a [u8]),
    /// A user property: name and value.
    User(&'a str, &'a str),
}

/// Hands over what is in [`super::Publish::forward`] or [`super::client::Borrowed::properties`], in order. Other properties
/// of a message are passed over.
pub fn forwarded<'a>(block: &'a [u8], mut each: impl FnMut(Forwarded<'a>)) {
    let mut block = Cursor::new(block);
    // It was checked when the message was decoded, so nothing is left behind an error.
    while let Ok((id, value)) = props::one(&mut block) {
        match (id, value) {
            (props::PAYLOAD_FORMAT, Value::Byte(bit)) => each(Forwarded::Utf8(bit == 1)),
            (props::CONTENT_TYPE, Value::Text(text)) => each(Forwarded::ContentType(text)),
            (props::RESPONSE_TOPIC, Value::Text(text)) => each(Forwarded::ResponseTopic(text)),
            (props::CORRELATION, Value::Binary(bytes)) => each(Forwarded::Correlation(bytes)),
            (props::USER, Value::Pair(name, value)) => each(Forwarded::User(name, value)),
            _ => {}
        }
    }
}

/// Appends one to a block for [`super::PublishOut::forward`]. Texts longer than 65,535 bytes are cut: callers check.
pub fn put_forwarded(block: &mut BytesMut, property: &Forwarded<'_>) {
    match property {
        Forwarded::Utf8(utf8) => block.put_slice(&[props::PAYLOAD_FORMAT, u8::from(*utf8)]),
        Forwarded::ContentType(media) => {
            block.put_u8(props::CONTENT_TYPE);
            text(block, media);
        }
        Forwarded::ResponseTopic(topic) => {
            block.put_u8(props::RESPONSE_TOPIC);
            text(block, topic);
        }
        Forwarded::Correlation(bytes) => {
            block.put_u8(props::CORRELATION);
            binary(block, bytes);
        }
        Forwarded::User(name, value) => {
            block.put_u8(props::USER);
            text(block, name);
            text(block, value);
        }
    }
}
