//! A client's packets into bytes.

use bytes::{BufMut, Bytes, BytesMut};

use flotilla_value::Str;

use super::packet::{AckKind, Publish, PublishProps, Qos, Version};
use super::primitives::{put_binary, put_varint, varint_len};
use super::properties::{self as p, put_block, put_publish, put_u8, put_u16, put_u32, put_user};

/// CONNECT.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectPacket {
    /// The version to speak.
    pub version: Version,
    /// The ClientID; empty lets the server choose.
    pub client_id: String,
    /// Begin without an earlier session.
    pub clean: bool,
    /// Seconds; 0 switches it off.
    pub keep_alive: u16,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// The last will.
    pub will: Option<Will>,
    /// MQTT 5: seconds that the session outlives the connection.
    pub session_expiry: u32,
    /// MQTT 5: QoS 1 and 2 messages that may be unacknowledged.
    pub receive_maximum: u16,
    /// MQTT 5: the largest packet that we take.
    pub maximum_packet_size: u32,
    /// MQTT 5: user properties.
    pub user: Vec<(Str, Str)>,
}

/// A last will.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Will {
    /// Its topic.
    pub topic: Str,
    /// Its payload.
    pub payload: Bytes,
    /// Its QoS.
    pub qos: Qos,
    /// Retained.
    pub retain: bool,
    /// MQTT 5: seconds between the loss and the will.
    pub delay: u32,
    /// MQTT 5: properties.
    pub props: Option<Box<PublishProps>>,
}

/// A filter of a SUBSCRIBE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscribeFilter {
    /// As it goes over the wire, with `$share/...`.
    pub filter: Str,
    /// The highest QoS wanted.
    pub qos: Qos,
    /// MQTT 5: not what this client published.
    pub no_local: bool,
    /// MQTT 5: keep the retain flag.
    pub retain_as_published: bool,
    /// MQTT 5: 0 retained messages always, 1 for new subscriptions, 2 never.
    pub retain_handling: u8,
    /// MQTT 5: the subscription's identifier, if the server allows them.
    pub id: Option<u32>,
    /// MQTT 5: user properties.
    pub user: Vec<(Str, Str)>,
}

/// CONNECT. Source: section 3.1.
pub fn connect(buf: &mut BytesMut, packet: &ConnectPacket) {
    let v5 = packet.version == Version::V5;
    let mut body = BytesMut::with_capacity(128);
    let (name, level): (&[u8], u8) = match packet.version {
        Version::V31 => (b"MQIsdp", 3),
        Version::V311 => (b"MQTT", 4),
        Version::V5 => (b"MQTT", 5),
    };
    put_binary(&mut body, name);
    body.put_u8(level);
    let mut flags = u8::from(packet.clean) << 1;
    if let Some(will) = &packet.will {
        flags |= 4 | (will.qos.number() << 3) | (u8::from(will.retain) << 5);
    }
    // 3.1.1 has no password without a user name [MQTT-3.1.2-22].
    let username = packet.username.as_deref().or((packet.password.is_some() && !v5).then_some(""));
    flags |= (u8::from(packet.password.is_some()) << 6) | (u8::from(username.is_some()) << 7);
    body.put_u8(flags);
    body.put_u16(packet.keep_alive);
    if v5 {
        let mut block = BytesMut::new();
        if packet.session_expiry > 0 {
            put_u32(&mut block, p::SESSION_EXPIRY, packet.session_expiry);
        }
        put_u16(&mut block, p::RECEIVE_MAXIMUM, packet.receive_maximum.max(1));
        put_u32(&mut block, p::MAXIMUM_PACKET_SIZE, packet.maximum_packet_size);
        // As Node-RED asks for both.
        put_u8(&mut block, p::REQUEST_RESPONSE, 1);
        put_u8(&mut block, p::REQUEST_PROBLEM, 1);
        put_user(&mut block, &packet.user);
        put_block(&mut body, &block);
    }
    put_binary(&mut body, packet.client_id.as_bytes());
    if let Some(will) = &packet.will {
        if v5 {
            let mut block = BytesMut::new();
            if will.delay > 0 {
                put_u32(&mut block, p::WILL_DELAY, will.delay);
            }
            if let Some(props) = &will.props {
                put_publish(&mut block, props);
            }
            put_block(&mut body, &block);
        }
        put_binary(&mut body, will.topic.as_bytes());
        put_binary(&mut body, &will.payload);
    }
    for text in username.iter().copied().chain(packet.password.as_deref()) {
        put_binary(&mut body, text.as_bytes());
    }
    put_packet(buf, 0x10, &body);
}

/// The size of a PUBLISH on the wire.
pub fn publish_size(message: &Publish, version: Version) -> usize {
    let len = publish_len(message, &publish_block(message, version), version);
    1 + varint_len(len) + len
}

fn publish_block(message: &Publish, version: Version) -> BytesMut {
    let mut block = BytesMut::new();
    if let (Version::V5, Some(props)) = (version, &message.props) {
        put_publish(&mut block, props);
    }
    block
}

fn publish_len(message: &Publish, block: &[u8], version: Version) -> usize {
    let id = if message.qos == Qos::Zero { 0 } else { 2 };
    let props = if version == Version::V5 { varint_len(block.len()) + block.len() } else { 0 };
    2 + message.topic.len() + id + props + message.payload.len()
}

/// PUBLISH, under this identifier. Source: section 3.3.
pub fn publish(buf: &mut BytesMut, version: Version, message: &Publish, id: u16, dup: bool) {
    let block = publish_block(message, version);
    let len = publish_len(message, &block, version);
    buf.reserve(len + 5);
    buf.put_u8(0x30 | (u8::from(dup) << 3) | (message.qos.number() << 1) | u8::from(message.retain));
    put_varint(buf, len);
    put_binary(buf, message.topic.as_bytes());
    if message.qos != Qos::Zero {
        buf.put_u16(id);
    }
    if version == Version::V5 {
        put_block(buf, &block);
    }
    buf.extend_from_slice(&message.payload);
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP: success, in the short form that all versions share.
pub fn ack(buf: &mut BytesMut, kind: AckKind, id: u16) {
    let first = match kind {
        AckKind::PubAck => 0x40,
        AckKind::PubRec => 0x50,
        AckKind::PubRel => 0x62,
        AckKind::PubComp => 0x70,
    };
    let [high, low] = id.to_be_bytes();
    buf.extend_from_slice(&[first, 2, high, low]);
}

/// SUBSCRIBE of one filter.
pub fn subscribe(buf: &mut BytesMut, version: Version, id: u16, filter: &SubscribeFilter) {
    let mut body = BytesMut::with_capacity(filter.filter.len() + 16);
    body.put_u16(id);
    let mut options = filter.qos.number();
    if version == Version::V5 {
        let mut block = BytesMut::new();
        if let Some(id) = filter.id {
            block.put_u8(p::SUBSCRIPTION_ID);
            put_varint(&mut block, id as usize);
        }
        put_user(&mut block, &filter.user);
        put_block(&mut body, &block);
        options |= (u8::from(filter.no_local) << 2)
            | (u8::from(filter.retain_as_published) << 3)
            | ((filter.retain_handling & 3) << 4);
    }
    put_binary(&mut body, filter.filter.as_bytes());
    body.put_u8(options);
    put_packet(buf, 0x82, &body);
}

/// UNSUBSCRIBE of one filter.
pub fn unsubscribe(buf: &mut BytesMut, version: Version, id: u16, filter: &str) {
    let mut body = BytesMut::with_capacity(filter.len() + 5);
    body.put_u16(id);
    if version == Version::V5 {
        body.put_u8(0);
    }
    put_binary(&mut body, filter.as_bytes());
    put_packet(buf, 0xa2, &body);
}

/// PINGREQ.
pub fn pingreq(buf: &mut BytesMut) {
    buf.extend_from_slice(&[0xc0, 0]);
}

/// DISCONNECT. With a session expiry (MQTT 5) the session's remaining life is changed to it.
pub fn disconnect(buf: &mut BytesMut, version: Version, session_expiry: Option<u32>) {
    match session_expiry {
        Some(expiry) if version == Version::V5 => {
            let mut block = BytesMut::new();
            put_u32(&mut block, p::SESSION_EXPIRY, expiry);
            let mut body = BytesMut::new();
            body.put_u8(0);
            put_block(&mut body, &block);
            put_packet(buf, 0xe0, &body);
        }
        _ => buf.extend_from_slice(&[0xe0, 0]),
    }
}

fn put_packet(buf: &mut BytesMut, first: u8, body: &[u8]) {
    buf.reserve(body.len() + 5);
    buf.put_u8(first);
    put_varint(buf, body.len());
    buf.extend_from_slice(body);
}
