//! What a server sends, from bytes.

use bytes::Bytes;

use super::packet::{Answer, Borrowed, ConnAck, Incoming, Received};
use crate::cursor::Cursor;
use crate::decode::{end, pkid};
use crate::properties::{self as props, Value};
use crate::{Ack, AckKind, Publish, QoS, Version, WireError};

/// Properties that more than one packet of a server has; others are read over, since a server knows what it says.
const ANY: &[u8] = &[
    props::SESSION_EXPIRY,
    props::ASSIGNED_ID,
    props::SERVER_KEEP_ALIVE,
    props::AUTH_METHOD,
    props::AUTH_DATA,
    props::RESPONSE_INFORMATION,
    props::SERVER_REFERENCE,
    props::REASON_STRING,
    props::RECEIVE_MAX,
    props::ALIAS_MAX,
    props::MAX_QOS,
    props::RETAIN_AVAILABLE,
    props::USER,
    props::MAX_PACKET,
    props::WILDCARD_AVAILABLE,
    props::IDS_AVAILABLE,
    props::SHARED_AVAILABLE,
];

/// Decodes any packet that a server sends. `frame` is the whole packet with a fixed header of `header` bytes, as
/// [`crate::frame_len`] found it; topic and payload of a message are slices of it.
///
/// # Errors
/// As [`decode_borrowed`].
pub fn decode(frame: Bytes, header: usize, version: Version) -> Result<Incoming, WireError> {
    Ok(read(&frame, header, version)?.map(|(message, properties)| Received {
        publish: Publish {
            dup: message.dup,
            qos: message.qos,
            retain: message.retain,
            pkid: message.pkid,
            topic: frame.slice_ref(message.topic.as_bytes()),
            alias: message.alias,
            expiry: message.expiry,
            forward: properties.forward(&frame),
            payload: frame.slice_ref(message.payload),
        },
        subscription_ids: message.subscription_ids,
    }))
}

/// As [`decode`], and what a message has is borrowed from `frame`: for a reader that copies what it keeps, so that no
/// message holds a buffer that others came in.
///
/// # Errors
/// Bytes that are not a packet of this version: the connection has to be closed. A topic alias is decoded; a client that
/// announced no topic alias maximum has to refuse it [MQTT-3.1.2-26].
pub fn decode_borrowed(frame: &[u8], header: usize, version: Version) -> Result<Incoming<Borrowed<'_>>, WireError> {
    Ok(read(frame, header, version)?.map(|(message, _)| message))
}

type Message<'a> = (Borrowed<'a>, props::MessageProperties<'a>);

fn read(frame: &[u8], header: usize, version: Version) -> Result<Incoming<Message<'_>>, WireError> {
    let first = frame[0];
    let mut body = Cursor::new(&frame[header..]);
    match first >> 4 {
        2 => connack(body, version),
        3 => publish(body, first & 0x0f, version).map(Incoming::Publish),
        4 => ack(body, AckKind::PubAck, version),
        5 => ack(body, AckKind::PubRec, version),
        6 => ack(body, AckKind::PubRel, version),
        7 => ack(body, AckKind::PubComp, version),
        9 => answer(body, version).map(Incoming::SubAck),
        11 => answer(body, version).map(Incoming::UnsubAck),
        13 => Ok(Incoming::PingResp),
        14 => {
            let reason = if body.is_empty() { 0 } else { body.u8()? };
            Ok(Incoming::Disconnect { reason, text: reason_string(&mut body)? })
        }
        15 if version == Version::V5 => Ok(Incoming::Auth),
        _ => Err(WireError::Protocol("a packet that no server sends")),
    }
}

/// The reason string of a block of properties that may be left out.
fn reason_string(body: &mut Cursor<'_>) -> Result<String, WireError> {
    let mut found = String::new();
    if !body.is_empty() {
        props::each(body, ANY, |id, value| {
            if let (props::REASON_STRING, Value::Text(text)) = (id, value) {
                found = text.to_owned();
            }
            Ok(())
        })?;
    }
    Ok(found)
}

fn ack<M>(mut body: Cursor<'_>, kind: AckKind, version: Version) -> Result<Incoming<M>, WireError> {
    let pkid = pkid(&mut body)?;
    let (mut reason, mut text) = (0, String::new());
    if version == Version::V5 && !body.is_empty() {
        reason = body.u8()?;
        text = reason_string(&mut body)?;
    }
    end(&body)?;
    Ok(Incoming::Ack(Ack { kind, pkid, reason }, text))
}

fn answer(mut body: Cursor<'_>, version: Version) -> Result<Answer, WireError> {
    let pkid = pkid(&mut body)?;
    let text = if version == Version::V5 { reason_string(&mut body)? } else { String::new() };
    Ok(Answer { pkid, codes: body.rest().to_vec(), text })
}

fn publish(mut body: Cursor<'_>, flags: u8, version: Version) -> Result<Message<'_>, WireError> {
    let qos = QoS::from_bits((flags >> 1) & 3).ok_or(WireError::Malformed("QoS 3"))?;
    let topic = body.text()?;
    let pkid = if qos == QoS::AtMostOnce { 0 } else { pkid(&mut body)? };
    let mut found = match version {
        Version::V5 => props::message(&mut body, props::Origin::Server)?,
        Version::V3 | Version::V4 => props::MessageProperties::default(),
    };
    if topic.is_empty() && found.alias.is_none() {
        return Err(WireError::TopicName("empty"));
    }
    let message = Borrowed {
        dup: flags & 8 != 0,
        qos,
        retain: flags & 1 != 0,
        pkid,
        topic,
        alias: found.alias,
        expiry: found.expiry,
        subscription_ids: std::mem::take(&mut found.subscription_ids),
        properties: found.block,
        payload: body.rest(),
    };
    Ok((message, found))
}

fn connack<M>(mut body: Cursor<'_>, version: Version) -> Result<Incoming<M>, WireError> {
    let mut found = Box::new(ConnAck { session_present: body.u8()? & 1 == 1, ..ConnAck::default() });
    found.code = body.u8()?;
    // A server that does not know MQTT 5 answers with a CONNACK of 3.1.1, which ends here.
    if version == Version::V5 && !body.is_empty() {
        props::each(&mut body, ANY, |id, value| {
            match (id, value) {
                (props::SESSION_EXPIRY, Value::Four(seconds)) => found.session_expiry = Some(seconds),
                (props::RECEIVE_MAX, Value::Two(count)) => found.receive_maximum = Some(count),
                (props::MAX_QOS, Value::Byte(qos)) => found.max_qos = Some(qos),
                (props::RETAIN_AVAILABLE, Value::Byte(bit)) => found.retain_available = Some(bit == 1),
                (props::MAX_PACKET, Value::Four(size)) => found.max_packet = Some(size),
                (props::ALIAS_MAX, Value::Two(count)) => found.topic_alias_max = Some(count),
                (props::SERVER_KEEP_ALIVE, Value::Two(seconds)) => found.keep_alive = Some(seconds),
                (props::ASSIGNED_ID, Value::Text(id)) => found.assigned_id = Some(id.to_owned()),
                (props::IDS_AVAILABLE, Value::Byte(bit)) => found.subscription_ids = Some(bit == 1),
                (props::SHARED_AVAILABLE, Value::Byte(bit)) => found.shared_subscriptions = Some(bit == 1),
                (props::REASON_STRING, Value::Text(text)) => found.text = text.to_owned(),
                (props::USER, Value::Pair(name, value)) => {
                    found.user.push((name.to_owned(), value.to_owned()));
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    Ok(Incoming::ConnAck(found))
}
