//! Bytes from a server into packets.

use bytes::Bytes;

use flotilla_value::Str;

use super::packet::{Ack, AckKind, ConnAck, Incoming, Publish, Qos, SubAck, Version, WireError};
use super::primitives::{Reader, varint};
use super::properties::{self as p, read, read_publish};

/// What the front of a buffer holds.
#[derive(Debug, PartialEq)]
pub enum Decoded {
    /// Not a whole packet yet; so many bytes are needed at least.
    Need(usize),
    /// A packet and the bytes that it took.
    Packet(Incoming, usize),
}

/// Decodes the packet at the front of `buf`. What it returns owns its bytes: a held message never pins the buffer.
///
/// # Errors
/// Bytes that are not a packet of this version, or a packet larger than `limit`: the connection has to be closed.
pub fn decode(buf: &[u8], version: Version, limit: usize) -> Result<Decoded, WireError> {
    let Some((&first, rest)) = buf.split_first() else { return Ok(Decoded::Need(2)) };
    let (len, used) = match varint(rest) {
        None => return Ok(Decoded::Need(buf.len() + 1)),
        Some(Err(())) => return Err(WireError::Malformed { packet: "any", what: "a length of more than four bytes" }),
        Some(Ok(found)) => found,
    };
    let size = 1 + used + len as usize;
    if size > limit {
        return Err(WireError::TooLarge { size, limit });
    }
    if buf.len() < size {
        return Ok(Decoded::Need(size));
    }
    Ok(Decoded::Packet(packet(first, &buf[1 + used..size], version)?, size))
}

fn packet(first: u8, body: &[u8], version: Version) -> Result<Incoming, WireError> {
    let reader = |packet| Reader { packet, rest: body };
    match first >> 4 {
        2 => conn_ack(reader("CONNACK"), version),
        3 => publish(first, reader("PUBLISH"), version),
        4 => Ok(Incoming::Ack(AckKind::PubAck, ack(reader("PUBACK"))?)),
        5 => Ok(Incoming::Ack(AckKind::PubRec, ack(reader("PUBREC"))?)),
        6 => Ok(Incoming::Ack(AckKind::PubRel, ack(reader("PUBREL"))?)),
        7 => Ok(Incoming::Ack(AckKind::PubComp, ack(reader("PUBCOMP"))?)),
        9 => Ok(Incoming::SubAck(sub_ack(reader("SUBACK"), version)?)),
        11 => Ok(Incoming::UnsubAck(sub_ack(reader("UNSUBACK"), version)?)),
        13 => Ok(Incoming::PingResp),
        14 => {
            let mut reader = reader("DISCONNECT");
            let code = if reader.rest.is_empty() { 0 } else { reader.u8()? };
            Ok(Incoming::Disconnect(code, reason(&mut reader)?))
        }
        15 => Ok(Incoming::Auth),
        other => Err(WireError::Unexpected(other)),
    }
}

/// The reason string of an optional property block.
fn reason(reader: &mut Reader<'_>) -> Result<Str, WireError> {
    let mut reason = Str::default();
    if !reader.rest.is_empty() {
        read(reader, |id, value| {
            if id == p::REASON {
                reason = value.text();
            }
        })?;
    }
    Ok(reason)
}

fn ack(mut reader: Reader<'_>) -> Result<Ack, WireError> {
    let id = reader.u16()?;
    let code = if reader.rest.is_empty() { 0 } else { reader.u8()? };
    Ok(Ack { id, code, reason: reason(&mut reader)? })
}

fn sub_ack(mut reader: Reader<'_>, version: Version) -> Result<SubAck, WireError> {
    let id = reader.u16()?;
    let reason = if version == Version::V5 { reason(&mut reader)? } else { Str::default() };
    Ok(SubAck { id, codes: reader.rest.to_vec(), reason })
}

fn publish(first: u8, mut reader: Reader<'_>, version: Version) -> Result<Incoming, WireError> {
    let qos = Qos::from_number((first >> 1) & 3).ok_or_else(|| reader.malformed("a QoS of 3"))?;
    let topic = reader.text()?;
    if topic.is_empty() {
        return Err(reader.malformed("an empty topic"));
    }
    let id = if qos == Qos::Zero { 0 } else { reader.u16()? };
    if qos != Qos::Zero && id == 0 {
        return Err(reader.malformed("the packet identifier 0"));
    }
    let props = if version == Version::V5 { read_publish(&mut reader)? } else { None };
    Ok(Incoming::Publish(Publish {
        dup: first & 8 != 0,
        qos,
        retain: first & 1 != 0,
        topic: Str::new(topic),
        id,
        payload: Bytes::copy_from_slice(reader.rest),
        props,
    }))
}

fn conn_ack(mut reader: Reader<'_>, version: Version) -> Result<Incoming, WireError> {
    let session_present = reader.u8()? & 1 == 1;
    let mut found = Box::new(ConnAck { session_present, code: reader.u8()?, ..ConnAck::default() });
    // A server that does not know MQTT 5 answers with a 3.1.1 CONNACK, which ends here.
    if version == Version::V5 && !reader.rest.is_empty() {
        read(&mut reader, |id, value| match id {
            p::RECEIVE_MAXIMUM => found.receive_maximum = Some(value.number() as u16),
            p::MAXIMUM_QOS => found.maximum_qos = Some(value.number() as u8),
            p::MAXIMUM_PACKET_SIZE => found.maximum_packet_size = Some(value.number()),
            p::SERVER_KEEP_ALIVE => found.server_keep_alive = Some(value.number() as u16),
            p::ASSIGNED_CLIENT_ID => found.assigned_client_id = Some(value.text()),
            p::SUBSCRIPTION_IDS_AVAILABLE => found.subscription_ids = Some(value.number() == 1),
            p::SHARED_AVAILABLE => found.shared_subscriptions = Some(value.number() == 1),
            p::REASON => found.reason = value.text(),
            p::USER => found.user.push(value.pair()),
            _ => {}
        })?;
    }
    Ok(Incoming::ConnAck(found))
}
