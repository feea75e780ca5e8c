//! Packets that came.

use bytes::BytesMut;
use flotilla_codec::client::{self, ConnAck, Incoming, Received};
use flotilla_codec::{Forwarded, Version, forwarded, frame_len};

/// What a broker sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// CONNACK.
    ConnAck(Box<ConnAck>),
    /// PUBLISH.
    Publish(Publish),
    /// PUBACK (4), PUBREC (5), PUBREL (6), PUBCOMP (7): kind, packet id, reason, reason string.
    Ack(u8, u16, u8, String),
    /// SUBACK: packet id, codes, reason string.
    SubAck(u16, Vec<u8>, String),
    /// UNSUBACK: packet id, codes (none on 3.1.1), reason string.
    UnsubAck(u16, Vec<u8>, String),
    /// PINGRESP.
    PingResp,
    /// DISCONNECT: reason.
    Disconnect(u8),
    /// AUTH.
    Auth,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// DUP.
    pub dup: bool,
    /// QoS.
    pub qos: u8,
    /// Retain flag.
    pub retain: bool,
    /// 0 at QoS 0.
    pub pkid: u16,
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// Correlation data.
    pub correlation: Vec<u8>,
    /// User properties.
    pub user: Vec<(String, String)>,
}

/// Takes the first whole packet off `buffer`.
pub fn take(buffer: &mut BytesMut, version: Version) -> anyhow::Result<Option<Packet>> {
    let Some((header, size)) = frame_len(buffer, usize::MAX)? else { return Ok(None) };
    let frame = buffer.split_to(size).freeze();
    Ok(Some(match client::decode(frame, header, version)? {
        Incoming::ConnAck(told) => Packet::ConnAck(told),
        Incoming::Publish(message) => Packet::Publish(publish(&message)),
        Incoming::Ack(ack, why) => Packet::Ack(ack.kind as u8, ack.pkid, ack.reason, why),
        Incoming::SubAck(answer) => Packet::SubAck(answer.pkid, answer.codes, answer.text),
        Incoming::UnsubAck(answer) => Packet::UnsubAck(answer.pkid, answer.codes, answer.text),
        Incoming::PingResp => Packet::PingResp,
        Incoming::Disconnect { reason, .. } => Packet::Disconnect(reason),
        Incoming::Auth => Packet::Auth,
    }))
}

fn publish(received: &Received) -> Publish {
    let message = &received.publish;
    let (mut user, mut correlation) = (Vec::new(), Vec::new());
    forwarded(&message.forward, |property| match property {
        Forwarded::User(name, value) => user.push((name.to_owned(), value.to_owned())),
        Forwarded::Correlation(bytes) => correlation = bytes.to_vec(),
        _ => {}
    });
    Publish {
        dup: message.dup,
        qos: message.qos as u8,
        retain: message.retain,
        pkid: message.pkid,
        topic: message.topic_str().to_owned(),
        payload: message.payload.to_vec(),
        correlation,
        user,
    }
}
