//! MQTT 5's properties: each has an identifier that says its type (section 2.2.2.2).

use bytes::{BufMut, Bytes, BytesMut};

use super::WireError;
use super::cursor::Cursor;

/// The value of one property, by the type the specification gives its identifier (section 2.2.2.2).
pub(super) enum Value {
    Byte(u8),
    Two(u16),
    Four(u32),
    Var(u32),
    Text(Bytes),
    Binary(Bytes),
    Pair(Bytes, Bytes),
}

pub(super) const PAYLOAD_FORMAT: u8 = 0x01;
pub(super) const MESSAGE_EXPIRY: u8 = 0x02;
pub(super) const CONTENT_TYPE: u8 = 0x03;
pub(super) const RESPONSE_TOPIC: u8 = 0x08;
pub(super) const CORRELATION: u8 = 0x09;
pub(super) const SUBSCRIPTION_ID: u8 = 0x0B;
pub(super) const SESSION_EXPIRY: u8 = 0x11;
pub(super) const ASSIGNED_ID: u8 = 0x12;
pub(super) const SERVER_KEEP_ALIVE: u8 = 0x13;
pub(super) const AUTH_METHOD: u8 = 0x15;
pub(super) const AUTH_DATA: u8 = 0x16;
pub(super) const PROBLEM_INFO: u8 = 0x17;
pub(super) const WILL_DELAY: u8 = 0x18;
pub(super) const RESPONSE_INFO: u8 = 0x19;
pub(super) const RESPONSE_INFORMATION: u8 = 0x1A;
pub(super) const SERVER_REFERENCE: u8 = 0x1C;
pub(super) const REASON_STRING: u8 = 0x1F;
pub(super) const RECEIVE_MAX: u8 = 0x21;
pub(super) const ALIAS_MAX: u8 = 0x22;
pub(super) const TOPIC_ALIAS: u8 = 0x23;
pub(super) const MAX_QOS: u8 = 0x24;
pub(super) const RETAIN_AVAILABLE: u8 = 0x25;
pub(super) const USER: u8 = 0x26;
pub(super) const MAX_PACKET: u8 = 0x27;
pub(super) const WILDCARD_AVAILABLE: u8 = 0x28;
pub(super) const IDS_AVAILABLE: u8 = 0x29;
pub(super) const SHARED_AVAILABLE: u8 = 0x2A;

/// Reads a property block: calls `each` for every property, in order. A repeat of one that may
/// come once is refused here [MQTT-3.1.2 and following].
pub(super) fn each(
    from: &mut Cursor,
    allowed: &[u8],
    mut each: impl FnMut(u8, Value) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let len = from.varint()? as usize;
    if len == 0 {
        return Ok(());
    }
    let mut block = Cursor::new(from.take(len)?);
    let mut seen = 0u64;
    while !block.is_empty() {
        let (id, value) = one(&mut block)?;
        if !allowed.contains(&id) {
            return Err(WireError::Protocol("a property that this packet may not carry"));
        }
        if id != USER && id != SUBSCRIPTION_ID {
            if seen & (1 << id) != 0 {
                return Err(WireError::Protocol("a property twice that may come once"));
            }
            seen |= 1 << id;
        }
        each(id, value)?;
    }
    Ok(())
}

/// The next property of a block: its identifier and value.
pub(super) fn one(block: &mut Cursor) -> Result<(u8, Value), WireError> {
    let id = block.u8()?;
    let value = match id {
        PAYLOAD_FORMAT | PROBLEM_INFO | RESPONSE_INFO => match block.u8()? {
            bit @ 0..=1 => Value::Byte(bit),
            _ => return Err(WireError::Protocol("a flag property is neither 0 nor 1")),
        },
        MAX_QOS | RETAIN_AVAILABLE | WILDCARD_AVAILABLE | IDS_AVAILABLE | SHARED_AVAILABLE => Value::Byte(block.u8()?),
        SERVER_KEEP_ALIVE | RECEIVE_MAX | ALIAS_MAX | TOPIC_ALIAS => Value::Two(block.u16()?),
        MESSAGE_EXPIRY | SESSION_EXPIRY | WILL_DELAY | MAX_PACKET => Value::Four(block.u32()?),
        SUBSCRIPTION_ID => Value::Var(block.varint()?),
        CONTENT_TYPE | RESPONSE_TOPIC | ASSIGNED_ID | AUTH_METHOD | RESPONSE_INFORMATION | SERVER_REFERENCE
        | REASON_STRING => Value::Text(block.text()?),
        CORRELATION | AUTH_DATA => Value::Binary(block.binary()?),
        USER => {
            let name = block.text()?;
            Value::Pair(name, block.text()?)
        }
        _ => return Err(WireError::Malformed("unknown property identifier")),
    };
    Ok((id, value))
}

/// Decoded text, owned. It was checked when it was decoded.
pub(super) fn owned(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// The properties of a PUBLISH or a will.
#[derive(Default)]
pub(super) struct MessageProperties {
    pub(super) alias: Option<u16>,
    pub(super) expiry: Option<u32>,
    pub(super) will_delay: u32,
    pub(super) subscription_ids: Vec<u32>,
    pub(super) forward: Bytes,
}

/// Whose message it is: each may carry other properties.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Client,
    Will,
    Server,
}

/// Reads them; what subscribers get unchanged stays encoded. The block is copied only when
/// something has to be cut out of it.
pub(super) fn message(from: &mut Cursor, origin: Origin) -> Result<MessageProperties, WireError> {
    let len = from.varint()? as usize;
    if len == 0 {
        return Ok(MessageProperties::default());
    }
    let raw = from.take(len)?;
    let mut block = Cursor::new(raw.clone());
    let mut out = MessageProperties::default();
    let mut kept: Option<BytesMut> = None;
    let mut seen = 0u64;
    while !block.is_empty() {
        let start = len - block.len();
        let (id, value) = one(&mut block)?;
        if id != USER && id != SUBSCRIPTION_ID {
            if seen & (1 << id) != 0 {
                return Err(WireError::Protocol("a property twice that may come once"));
            }
            seen |= 1 << id;
        }
        let cut = match (id, value) {
            (MESSAGE_EXPIRY, Value::Four(seconds)) => {
                out.expiry = Some(seconds);
                true
            }
            (TOPIC_ALIAS, Value::Two(alias)) if origin != Origin::Will => {
                out.alias = Some(alias);
                true
            }
            (WILL_DELAY, Value::Four(seconds)) if origin == Origin::Will => {
                out.will_delay = seconds;
                true
            }
            (SUBSCRIPTION_ID, Value::Var(id)) if origin == Origin::Server => {
                out.subscription_ids.push(id);
                true
            }
            // What a server lets through is its own affair: a client does not end the connection for it.
            (RESPONSE_TOPIC, _) if origin == Origin::Server => false,
            (RESPONSE_TOPIC, Value::Text(topic)) => {
                if topic.is_empty() || topic.iter().any(|b| matches!(b, b'#' | b'+')) {
                    return Err(WireError::TopicName("response topic is empty or holds a wildcard"));
                }
                false
            }
            (PAYLOAD_FORMAT | CONTENT_TYPE | CORRELATION | USER, _) => false,
            _ => return Err(WireError::Protocol("a property that a message may not carry")),
        };
        let end = len - block.len();
        match (&mut kept, cut) {
            (None, true) => kept = Some(BytesMut::from(&raw[..start])),
            (Some(kept), false) => kept.put_slice(&raw[start..end]),
            _ => {}
        }
    }
    out.forward = kept.map_or(raw, BytesMut::freeze);
    Ok(out)
}
