//! What a server sends, as bytes; and PUBLISH and the acknowledgements, which both sides send.

use bytes::{BufMut, BytesMut};

use super::primitives::{text, varint, varint_len};
use super::why::{block_len, put_block};
use super::{AckKind, QoS, Reason, Version, Why, properties as props};

/// What CONNACK tells the client.
#[derive(Debug, Clone, Default)]
pub struct ConnAck<'a> {
    /// A stored session was resumed.
    pub session_present: bool,
    /// Session expiry in force, when other than asked for.
    pub session_expiry: Option<u32>,
    /// How many QoS 1 and 2 publishes the broker takes at once.
    pub receive_maximum: Option<u16>,
    /// Largest packet the broker takes.
    pub max_packet: Option<u32>,
    /// The ClientID the broker made up.
    pub assigned_id: Option<&'a str>,
    /// Highest topic alias the broker takes.
    pub topic_alias_max: u16,
    /// Retained messages are refused.
    pub no_retain: bool,
    /// Keep alive in force, when other than asked for.
    pub keep_alive: Option<u16>,
    /// Why it refuses, where that is known closer than by the code; may be empty.
    pub refusal: &'a str,
    /// Sent as user properties.
    pub user: &'a [(&'a str, &'a str)],
}

/// A PUBLISH to send.
#[derive(Debug, Clone, Copy)]
pub struct PublishOut<'a> {
    /// Repeated to the same session.
    pub dup: bool,
    /// QoS.
    pub qos: QoS,
    /// Retain flag.
    pub retain: bool,
    /// 0 at QoS 0.
    pub pkid: u16,
    /// Topic; empty when the alias stands for it.
    pub topic: &'a [u8],
    /// Topic alias.
    pub alias: Option<u16>,
    /// Seconds left.
    pub expiry: Option<u32>,
    /// Of the subscriptions that matched.
    pub subscription_ids: &'a [u32],
    /// Encoded properties from the publisher.
    pub forward: &'a [u8],
    /// Payload.
    pub payload: &'a [u8],
}

impl<'a> PublishOut<'a> {
    /// At QoS 0, with nothing but topic and payload.
    pub fn new(topic: &'a [u8], payload: &'a [u8]) -> Self {
        Self {
            dup: false,
            qos: QoS::AtMostOnce,
            retain: false,
            pkid: 0,
            topic,
            alias: None,
            expiry: None,
            subscription_ids: &[],
            forward: &[],
            payload,
        }
    }

    fn properties_len(&self) -> usize {
        let ids: usize = self.subscription_ids.iter().map(|id| 1 + varint_len(*id as usize)).sum();
        self.forward.len() + ids + if self.alias.is_some() { 3 } else { 0 } + if self.expiry.is_some() { 5 } else { 0 }
    }

    /// Bytes on the wire.
    pub fn size(&self, version: Version) -> usize {
        let body = self.body_len(version);
        1 + varint_len(body) + body
    }

    fn body_len(&self, version: Version) -> usize {
        let mut len = 2 + self.topic.len() + self.payload.len();
        if self.qos != QoS::AtMostOnce {
            len += 2;
        }
        if version == Version::V5 {
            let properties = self.properties_len();
            len += varint_len(properties) + properties;
        }
        len
    }
}

/// Appends a PUBLISH.
pub fn publish(out: &mut BytesMut, version: Version, packet: &PublishOut<'_>) {
    let body = packet.body_len(version);
    out.reserve(body + 5);
    out.put_u8(0x30 | u8::from(packet.dup) << 3 | (packet.qos as u8) << 1 | u8::from(packet.retain));
    varint(out, body);
    out.put_u16(packet.topic.len() as u16);
    out.put_slice(packet.topic);
    if packet.qos != QoS::AtMostOnce {
        out.put_u16(packet.pkid);
    }
    if version == Version::V5 {
        varint(out, packet.properties_len());
        if let Some(seconds) = packet.expiry {
            out.put_u8(props::MESSAGE_EXPIRY);
            out.put_u32(seconds);
        }
        if let Some(alias) = packet.alias {
            out.put_u8(props::TOPIC_ALIAS);
            out.put_u16(alias);
        }
        for id in packet.subscription_ids {
            out.put_u8(props::SUBSCRIPTION_ID);
            varint(out, *id as usize);
        }
        out.put_slice(packet.forward);
    }
    out.put_slice(packet.payload);
}

/// Appends PUBACK, PUBREC, PUBREL or PUBCOMP. 3.1.1 has no reason codes.
pub fn ack(out: &mut BytesMut, version: Version, kind: AckKind, pkid: u16, why: Why<'_>) {
    let first = (kind as u8) << 4 | if kind == AckKind::PubRel { 2 } else { 0 };
    if version != Version::V5 || why.reason == Reason::Success {
        out.put_slice(&[first, 2]);
        out.put_u16(pkid);
        return;
    }
    let text = why.text(3);
    out.put_u8(first);
    varint(out, if text.is_empty() { 3 } else { 3 + block_len(text) });
    out.put_u16(pkid);
    out.put_u8(why.reason as u8);
    if !text.is_empty() {
        put_block(out, text);
    }
}

/// Appends a CONNACK that accepts, or with `reason` one that refuses. The reason string and the user properties are left
/// out where the client's maximum packet size, `room`, has no place for them [MQTT-3.2.2-19, -20].
pub fn connack(out: &mut BytesMut, version: Version, reason: Reason, told: &ConnAck<'_>, room: usize) {
    if version != Version::V5 {
        out.put_slice(&[0x20, 2, u8::from(told.session_present), v4_code(reason)]);
        return;
    }
    let mut block = BytesMut::new();
    if reason == Reason::Success {
        if let Some(seconds) = told.session_expiry {
            block.put_u8(props::SESSION_EXPIRY);
            block.put_u32(seconds);
        }
        if let Some(count) = told.receive_maximum {
            block.put_u8(props::RECEIVE_MAX);
            block.put_u16(count);
        }
        if told.no_retain {
            block.put_slice(&[props::RETAIN_AVAILABLE, 0]);
        }
        if let Some(size) = told.max_packet {
            block.put_u8(props::MAX_PACKET);
            block.put_u32(size);
        }
        if let Some(id) = told.assigned_id {
            block.put_u8(props::ASSIGNED_ID);
            text(&mut block, id);
        }
        if told.topic_alias_max > 0 {
            block.put_u8(props::ALIAS_MAX);
            block.put_u16(told.topic_alias_max);
        }
        if let Some(seconds) = told.keep_alive {
            block.put_u8(props::SERVER_KEEP_ALIVE);
            block.put_u16(seconds);
        }
        let needed = block.len();
        for (name, value) in told.user {
            block.put_u8(props::USER);
            text(&mut block, name);
            text(&mut block, value);
        }
        let body = 2 + varint_len(block.len()) + block.len();
        if 1 + varint_len(body) + body > room {
            block.truncate(needed);
        }
    } else {
        let refusal = Why { reason, detail: told.refusal, room }.text(2);
        out.put_u8(0x20);
        varint(out, 2 + block_len(refusal));
        out.put_slice(&[0, reason as u8]);
        put_block(out, refusal);
        return;
    }
    out.put_u8(0x20);
    varint(out, 2 + varint_len(block.len()) + block.len());
    out.put_slice(&[u8::from(told.session_present), reason as u8]);
    varint(out, block.len());
    out.put_slice(&block);
}

/// The 3.1.1 return code for a refusal (section 3.2.2.3).
fn v4_code(reason: Reason) -> u8 {
    match reason {
        Reason::Success => 0,
        Reason::UnsupportedVersion => 1,
        Reason::ClientIdNotValid => 2,
        Reason::BadUserNameOrPassword => 4,
        Reason::NotAuthorized => 5,
        _ => 3,
    }
}

/// Appends a SUBACK with one code per filter; `why` is about those that refuse.
pub fn suback(out: &mut BytesMut, version: Version, pkid: u16, codes: &[u8], why: Why<'_>) {
    out.put_u8(0x90);
    if version == Version::V5 {
        put_codes(out, pkid, codes, why);
    } else {
        varint(out, 2 + codes.len());
        out.put_u16(pkid);
        out.extend(codes.iter().map(|code| if *code > 2 { 0x80 } else { *code }));
    }
}

/// Appends an UNSUBACK; 3.1.1 has no codes.
pub fn unsuback(out: &mut BytesMut, version: Version, pkid: u16, codes: &[u8], why: Why<'_>) {
    out.put_u8(0xB0);
    if version == Version::V5 {
        put_codes(out, pkid, codes, why);
    } else {
        out.put_u8(2);
        out.put_u16(pkid);
    }
}

fn put_codes(out: &mut BytesMut, pkid: u16, codes: &[u8], why: Why<'_>) {
    let text = why.text(2 + codes.len());
    varint(out, 2 + block_len(text) + codes.len());
    out.put_u16(pkid);
    put_block(out, text);
    out.put_slice(codes);
}

/// Appends a PINGRESP.
pub fn pingresp(out: &mut BytesMut) {
    out.put_slice(&[0xD0, 0]);
}

/// Appends a DISCONNECT; nothing on 3.1.1, where a server only closes. The reason string is left out where the client's
/// maximum packet size, `room`, has no place for it [MQTT-3.14.2-3].
pub fn disconnect(out: &mut BytesMut, version: Version, reason: Reason, room: usize) {
    if version != Version::V5 {
        return;
    }
    let text = Why { reason, detail: "", room }.text(1);
    out.put_u8(0xE0);
    varint(out, if text.is_empty() { 1 } else { 1 + block_len(text) });
    out.put_u8(reason as u8);
    if !text.is_empty() {
        put_block(out, text);
    }
}
