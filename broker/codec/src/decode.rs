//! What a client sends, from bytes: all but CONNECT.

use bytes::Bytes;

use super::cursor::Cursor;
use super::properties::{self as props, Value};
use super::{
    Ack, AckKind, Disconnect, Packet, Publish, QoS, RetainHandling, SubRequest, Subscribe, Unsubscribe, UserProperties,
    Version, WireError,
};

/// More levels than this in a topic or filter are refused.
pub const MAX_LEVELS: usize = 128;

/// Fixed header length and whole length of the packet that `buffer` begins with; `None` until all of it came.
pub fn frame_len(buffer: &[u8], limit: usize) -> Result<Option<(usize, usize)>, WireError> {
    Ok(packet_len(buffer, limit)?.filter(|(_, size)| buffer.len() >= *size))
}

/// Fixed header length and whole length of the packet that `buffer` begins with, as soon as its fixed header came: what a
/// reader has to make room for.
///
/// # Errors
/// A packet that is larger than `limit`, or whose length has more than four bytes.
pub fn packet_len(buffer: &[u8], limit: usize) -> Result<Option<(usize, usize)>, WireError> {
    let mut remaining = 0usize;
    for (index, shift) in [(1, 0), (2, 7), (3, 14), (4, 21)] {
        let Some(&byte) = buffer.get(index) else { return Ok(None) };
        remaining |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let header = index + 1;
            let size = header + remaining;
            if size > limit {
                return Err(WireError::TooLarge { size, limit });
            }
            return Ok(Some((header, size)));
        }
    }
    Err(WireError::Malformed("remaining length is longer than four bytes"))
}

/// Decodes any packet but CONNECT. `frame` is the whole packet with a fixed header of `header` bytes.
pub fn decode(frame: Bytes, header: usize, version: Version) -> Result<Packet, WireError> {
    let first = frame[0];
    let body = Cursor::new(&frame[header..]);
    // What only a server sends is refused by its first byte.
    match (first >> 4, first & 0x0f) {
        (3, flags) => publish(&frame, body, flags, version).map(Packet::Publish),
        (4, 0) => ack(body, AckKind::PubAck, version),
        (5, 0) => ack(body, AckKind::PubRec, version),
        (6, 2) => ack(body, AckKind::PubRel, version),
        (7, 0) => ack(body, AckKind::PubComp, version),
        (8, 2) => subscribe(body, version),
        (10, 2) => unsubscribe(body, version),
        (12, 0) if body.is_empty() => Ok(Packet::PingReq),
        (14, 0) => disconnect(body, version),
        (15, 0) if version == Version::V5 => Ok(Packet::Auth),
        (1, _) => Err(WireError::Protocol("a second CONNECT")),
        (2 | 9 | 11 | 13, _) => Err(WireError::Protocol("a packet that only a server sends")),
        _ => Err(WireError::Malformed("packet type or flags")),
    }
}

fn publish(frame: &Bytes, mut body: Cursor<'_>, flags: u8, version: Version) -> Result<Publish, WireError> {
    let qos = QoS::from_bits((flags >> 1) & 3).ok_or(WireError::Malformed("QoS 3"))?;
    let dup = flags & 8 != 0;
    if dup && qos == QoS::AtMostOnce {
        return Err(WireError::Malformed("DUP at QoS 0"));
    }
    let topic = body.text()?;
    let pkid = if qos == QoS::AtMostOnce { 0 } else { pkid(&mut body)? };
    let properties = match version {
        Version::V5 => props::message(&mut body, props::Origin::Client)?,
        Version::V3 | Version::V4 => props::MessageProperties::default(),
    };
    if !(topic.is_empty() && properties.alias.is_some()) {
        check_topic(topic)?;
    }
    Ok(Publish {
        dup,
        qos,
        retain: flags & 1 != 0,
        pkid,
        topic: frame.slice_ref(topic.as_bytes()),
        alias: properties.alias,
        expiry: properties.expiry,
        forward: properties.forward(frame),
        payload: frame.slice_ref(body.rest()),
    })
}

pub(super) fn check_topic(topic: &str) -> Result<(), WireError> {
    if topic.is_empty() {
        return Err(WireError::TopicName("empty"));
    }
    let mut levels = 1;
    for byte in topic.bytes() {
        match byte {
            b'#' | b'+' => return Err(WireError::TopicName("holds a wildcard")),
            b'/' => levels += 1,
            _ => {}
        }
    }
    // Trees of topics are walked level by level: a topic of 65,535 slashes must not get into one.
    if levels > MAX_LEVELS {
        return Err(WireError::TopicName("more than 128 levels"));
    }
    Ok(())
}

pub(super) fn pkid(body: &mut Cursor<'_>) -> Result<u16, WireError> {
    match body.u16()? {
        0 => Err(WireError::Protocol("packet identifier 0")),
        pkid => Ok(pkid),
    }
}

fn ack(mut body: Cursor<'_>, kind: AckKind, version: Version) -> Result<Packet, WireError> {
    let pkid = pkid(&mut body)?;
    let mut reason = 0;
    if version == Version::V5 && !body.is_empty() {
        reason = body.u8()?;
        if !body.is_empty() {
            props::each(&mut body, &[props::REASON_STRING, props::USER], |_, _| Ok(()))?;
        }
    }
    end(&body)?;
    Ok(Packet::Ack(Ack { kind, pkid, reason }))
}

fn subscribe(mut body: Cursor<'_>, version: Version) -> Result<Packet, WireError> {
    let pkid = pkid(&mut body)?;
    let (mut id, mut user) = (None, UserProperties::new());
    if version == Version::V5 {
        props::each(&mut body, &[props::SUBSCRIPTION_ID, props::USER], |_, value| {
            match value {
                Value::Var(value) if value == 0 || id.is_some() => {
                    return Err(WireError::Protocol("subscription identifier is 0 or there are two"));
                }
                Value::Var(value) => id = Some(value),
                Value::Pair(name, value) => user.push((name.to_owned(), value.to_owned())),
                _ => {}
            }
            Ok(())
        })?;
    }
    let mut filters = Vec::new();
    while !body.is_empty() {
        let filter = body.string()?;
        let options = body.u8()?;
        let qos = QoS::from_bits(options & 3).ok_or(WireError::Protocol("subscription QoS 3"))?;
        let reserved = if version == Version::V5 { 0xC0 } else { 0xFC };
        if options & reserved != 0 {
            return Err(WireError::Malformed("reserved subscription options"));
        }
        let retain_handling = match (options >> 4) & 3 {
            0 => RetainHandling::Always,
            1 => RetainHandling::IfNew,
            2 => RetainHandling::Never,
            _ => return Err(WireError::Protocol("retain handling 3")),
        };
        filters.push(SubRequest {
            filter,
            qos,
            no_local: options & 4 != 0,
            retain_as_published: options & 8 != 0,
            retain_handling,
        });
    }
    if filters.is_empty() {
        return Err(WireError::Protocol("SUBSCRIBE without a filter"));
    }
    Ok(Packet::Subscribe(Subscribe { pkid, id, user, filters }))
}

fn unsubscribe(mut body: Cursor<'_>, version: Version) -> Result<Packet, WireError> {
    let pkid = pkid(&mut body)?;
    if version == Version::V5 {
        props::each(&mut body, &[props::USER], |_, _| Ok(()))?;
    }
    let mut filters = Vec::new();
    while !body.is_empty() {
        filters.push(body.string()?);
    }
    if filters.is_empty() {
        return Err(WireError::Protocol("UNSUBSCRIBE without a filter"));
    }
    Ok(Packet::Unsubscribe(Unsubscribe { pkid, filters }))
}

fn disconnect(mut body: Cursor<'_>, version: Version) -> Result<Packet, WireError> {
    let mut packet = Disconnect { reason: 0, session_expiry: None };
    if version == Version::V5 && !body.is_empty() {
        packet.reason = body.u8()?;
        if !body.is_empty() {
            let allowed = [props::SESSION_EXPIRY, props::REASON_STRING, props::USER];
            props::each(&mut body, &allowed, |_, value| {
                if let Value::Four(seconds) = value {
                    packet.session_expiry = Some(seconds);
                }
                Ok(())
            })?;
        }
    }
    end(&body)?;
    Ok(Packet::Disconnect(packet))
}

pub(super) fn end(body: &Cursor<'_>) -> Result<(), WireError> {
    if body.is_empty() { Ok(()) } else { Err(WireError::Malformed("bytes after the end of a packet")) }
}
