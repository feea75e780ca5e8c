//! MQTT 5's properties: each has an identifier that says its type (section 2.2.2.2).

use bytes::{BufMut, Bytes, BytesMut};

use flotilla_value::Str;

use super::packet::{PublishProps, WireError};
use super::primitives::{Reader, put_binary, put_varint};

pub(super) const PAYLOAD_FORMAT: u8 = 0x01;
pub(super) const MESSAGE_EXPIRY: u8 = 0x02;
pub(super) const CONTENT_TYPE: u8 = 0x03;
pub(super) const RESPONSE_TOPIC: u8 = 0x08;
pub(super) const CORRELATION: u8 = 0x09;
pub(super) const SUBSCRIPTION_ID: u8 = 0x0b;
pub(super) const SESSION_EXPIRY: u8 = 0x11;
pub(super) const ASSIGNED_CLIENT_ID: u8 = 0x12;
pub(super) const SERVER_KEEP_ALIVE: u8 = 0x13;
pub(super) const REQUEST_PROBLEM: u8 = 0x17;
pub(super) const WILL_DELAY: u8 = 0x18;
pub(super) const REQUEST_RESPONSE: u8 = 0x19;
pub(super) const REASON: u8 = 0x1f;
pub(super) const RECEIVE_MAXIMUM: u8 = 0x21;
pub(super) const MAXIMUM_QOS: u8 = 0x24;
pub(super) const USER: u8 = 0x26;
pub(super) const MAXIMUM_PACKET_SIZE: u8 = 0x27;
pub(super) const SUBSCRIPTION_IDS_AVAILABLE: u8 = 0x29;
pub(super) const SHARED_AVAILABLE: u8 = 0x2a;

/// One property's value.
#[derive(Clone, Copy)]
pub(super) enum Property<'a> {
    Number(u32),
    Text(&'a str),
    Binary(&'a [u8]),
    Pair(&'a str, &'a str),
}

impl<'a> Property<'a> {
    fn read(id: u8, reader: &mut Reader<'a>) -> Result<Property<'a>, WireError> {
        Ok(match id {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28..=0x2a => Property::Number(u32::from(reader.u8()?)),
            0x13 | 0x21..=0x23 => Property::Number(u32::from(reader.u16()?)),
            0x02 | 0x11 | 0x18 | 0x27 => Property::Number(reader.u32()?),
            0x0b => Property::Number(reader.varint()?),
            0x03 | 0x08 | 0x12 | 0x15 | 0x1a | 0x1c | 0x1f => Property::Text(reader.text()?),
            0x09 | 0x16 => Property::Binary(reader.binary()?),
            0x26 => Property::Pair(reader.text()?, reader.text()?),
            _ => return Err(reader.malformed("a property that MQTT 5 does not have")),
        })
    }

    pub(super) fn number(self) -> u32 {
        if let Property::Number(number) = self { number } else { 0 }
    }

    pub(super) fn text(self) -> Str {
        if let Property::Text(text) = self { Str::new(text) } else { Str::default() }
    }

    pub(super) fn pair(self) -> (Str, Str) {
        if let Property::Pair(name, value) = self { (Str::new(name), Str::new(value)) } else { Default::default() }
    }
}

/// Reads a property block and hands each property to `each`.
pub(super) fn read<'a>(reader: &mut Reader<'a>, mut each: impl FnMut(u8, Property<'a>)) -> Result<(), WireError> {
    let len = reader.varint()?;
    let block = reader.take(len as usize)?;
    let mut block = Reader { packet: reader.packet, rest: block };
    while !block.rest.is_empty() {
        let id = block.u8()?;
        each(id, Property::read(id, &mut block)?);
    }
    Ok(())
}

/// Reads the properties of a PUBLISH. `None` without any.
pub(super) fn read_publish(reader: &mut Reader<'_>) -> Result<Option<Box<PublishProps>>, WireError> {
    if reader.rest.first() == Some(&0) {
        reader.rest = &reader.rest[1..];
        return Ok(None);
    }
    let mut props = Box::<PublishProps>::default();
    let mut alias = false;
    read(reader, |id, value| match (id, value) {
        (PAYLOAD_FORMAT, value) => props.utf8 = Some(value.number() == 1),
        (MESSAGE_EXPIRY, value) => props.expiry = Some(value.number()),
        (CONTENT_TYPE, value) => props.content_type = Some(value.text()),
        (RESPONSE_TOPIC, value) => props.response_topic = Some(value.text()),
        (CORRELATION, Property::Binary(bytes)) => props.correlation = Some(Bytes::copy_from_slice(bytes)),
        (SUBSCRIPTION_ID, value) => props.subscription_ids.push(value.number()),
        (USER, value) => props.user.push(value.pair()),
        (0x23, _) => alias = true,
        _ => {}
    })?;
    // We announce no topic alias maximum, so the server may not use one [MQTT-3.1.2-26].
    if alias { Err(reader.malformed("a topic alias that was not allowed")) } else { Ok(Some(props)) }
}

/// Writes the properties of a PUBLISH or a will, without their length. Subscription identifiers are the server's.
pub(super) fn put_publish(block: &mut BytesMut, props: &PublishProps) {
    if let Some(utf8) = props.utf8 {
        put_u8(block, PAYLOAD_FORMAT, u8::from(utf8));
    }
    if let Some(expiry) = props.expiry {
        put_u32(block, MESSAGE_EXPIRY, expiry);
    }
    let texts = [(CONTENT_TYPE, &props.content_type), (RESPONSE_TOPIC, &props.response_topic)];
    for (id, text) in texts.into_iter().filter_map(|(id, text)| Some((id, text.as_ref()?))) {
        block.put_u8(id);
        put_binary(block, text.as_bytes());
    }
    if let Some(correlation) = &props.correlation {
        block.put_u8(CORRELATION);
        put_binary(block, correlation);
    }
    put_user(block, &props.user);
}

pub(super) fn put_user(block: &mut BytesMut, user: &[(Str, Str)]) {
    for (name, value) in user {
        block.put_u8(USER);
        put_binary(block, name.as_bytes());
        put_binary(block, value.as_bytes());
    }
}

pub(super) fn put_u8(block: &mut BytesMut, id: u8, value: u8) {
    block.extend_from_slice(&[id, value]);
}

pub(super) fn put_u16(block: &mut BytesMut, id: u8, value: u16) {
    block.put_u8(id);
    block.put_u16(value);
}

pub(super) fn put_u32(block: &mut BytesMut, id: u8, value: u32) {
    block.put_u8(id);
    block.put_u32(value);
}

/// A block behind its length.
pub(super) fn put_block(buf: &mut BytesMut, block: &[u8]) {
    put_varint(buf, block.len());
    buf.extend_from_slice(block);
}
