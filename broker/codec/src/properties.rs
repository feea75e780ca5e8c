//! MQTT 5's properties: each has an identifier that says its type (section 2.2.2.2).

use bytes::{BufMut, Bytes, BytesMut};

use super::WireError;
use super::cursor::Cursor;

/// The value of one property, by the type the specification gives its identifier (section 2.2.2.2).
pub(super) enum Value<'a> {
    Byte(u8),
    Two(u16),
    Four(u32),
    Var(u32),
    Text(&'a str),
    Binary(&'a [u8]),
    Pair(&'a str, &'a str),
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
pub(super) fn each<'a>(
    from: &mut Cursor<'a>,
    allowed: &[u8],
    mut each: impl FnMut(u8, Value<'a>) -> Result<(), WireError>,
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
pub(super) fn one<'a>(block: &mut Cursor<'a>) -> Result<(u8, Value<'a>), WireError> {
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

/// The properties of a PUBLISH or a will.
#[derive(Default)]
pub(super) struct MessageProperties<'a> {
    pub(super) alias: Option<u16>,
    pub(super) expiry: Option<u32>,
    pub(super) will_delay: u32,
    pub(super) subscription_ids: Vec<u32>,
    /// All of them, encoded.
    pub(super) block: &'a [u8],
    /// Some of them do not go on to subscribers as they are.
    hops: bool,
}

/// Whose message it is: each may carry other properties.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Client,
    Will,
    Server,
}

/// Reads and checks them. Nothing is copied.
pub(super) fn message<'a>(from: &mut Cursor<'a>, origin: Origin) -> Result<MessageProperties<'a>, WireError> {
    let len = from.varint()? as usize;
    if len == 0 {
        return Ok(MessageProperties::default());
    }
    let mut out = MessageProperties { block: from.take(len)?, ..MessageProperties::default() };
    let mut block = Cursor::new(out.block);
    let mut seen = 0u64;
    while !block.is_empty() {
        let (id, value) = one(&mut block)?;
        if id != USER && id != SUBSCRIPTION_ID {
            if seen & (1 << id) != 0 {
                return Err(WireError::Protocol("a property twice that may come once"));
            }
            seen |= 1 << id;
        }
        match (id, value) {
            (MESSAGE_EXPIRY, Value::Four(seconds)) => out.expiry = Some(seconds),
            (TOPIC_ALIAS, Value::Two(alias)) if origin != Origin::Will => out.alias = Some(alias),
            (WILL_DELAY, Value::Four(seconds)) if origin == Origin::Will => out.will_delay = seconds,
            (SUBSCRIPTION_ID, Value::Var(id)) if origin == Origin::Server => out.subscription_ids.push(id),
            // What a server lets through is its own affair: a client does not end the connection for it.
            (RESPONSE_TOPIC, _) if origin == Origin::Server => {}
            (RESPONSE_TOPIC, Value::Text(topic)) => {
                if topic.is_empty() || topic.bytes().any(|byte| matches!(byte, b'#' | b'+')) {
                    return Err(WireError::TopicName("response topic is empty or holds a wildcard"));
                }
            }
            (PAYLOAD_FORMAT | CONTENT_TYPE | CORRELATION | USER, _) => {}
            _ => return Err(WireError::Protocol("a property that a message may not carry")),
        }
        out.hops |= !goes_on(id);
    }
    Ok(out)
}

/// Whether subscribers get the property as the publisher sent it.
fn goes_on(id: u8) -> bool {
    matches!(id, PAYLOAD_FORMAT | CONTENT_TYPE | RESPONSE_TOPIC | CORRELATION | USER)
}

impl MessageProperties<'_> {
    /// What subscribers get unchanged, encoded: a slice of `frame`, and a copy only where something is cut out.
    pub(super) fn forward(&self, frame: &Bytes) -> Bytes {
        if !self.hops {
            return frame.slice_ref(self.block);
        }
        let mut kept = BytesMut::with_capacity(self.block.len());
        let mut block = Cursor::new(self.block);
        while !block.is_empty() {
            let whole = block.rest();
            // It was read before.
            let Ok((id, _)) = one(&mut block) else { break };
            if goes_on(id) {
                kept.put_slice(&whole[..whole.len() - block.len()]);
            }
        }
        kept.freeze()
    }
}
