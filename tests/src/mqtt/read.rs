//! Packets that came.

use anyhow::{Context, bail, ensure};

/// What a broker sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// CONNACK: session present, code, properties as bytes.
    ConnAck(bool, u8, Vec<u8>),
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
}

/// Takes the first whole packet off `buffer`.
pub fn take(buffer: &mut Vec<u8>, version: u8) -> anyhow::Result<Option<Packet>> {
    let (mut length, mut shift, mut at) = (0usize, 0, 1);
    loop {
        let Some(byte) = buffer.get(at) else { return Ok(None) };
        length |= usize::from(byte & 0x7f) << shift;
        (shift, at) = (shift + 7, at + 1);
        if byte & 0x80 == 0 {
            break;
        }
    }
    if buffer.len() < at + length {
        return Ok(None);
    }
    let first = buffer[0];
    let body: Vec<u8> = buffer.drain(..at + length).skip(at).collect();
    packet(first, &body, version == 5).map(Some)
}

fn word(body: &[u8], at: usize) -> anyhow::Result<u16> {
    let bytes = body.get(at..at + 2).context("a packet ends inside a number")?;
    Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn packet(first: u8, body: &[u8], v5: bool) -> anyhow::Result<Packet> {
    let byte = |at: usize| body.get(at).copied().unwrap_or(0);
    Ok(match first >> 4 {
        2 => Packet::ConnAck(byte(0) & 1 == 1, byte(1), body.get(3..).unwrap_or_default().to_vec()),
        3 => Packet::Publish(publish(first, body, v5)?),
        kind @ 4..=7 => {
            let properties = body.get(3..).unwrap_or_default();
            Packet::Ack(kind, word(body, 0)?, byte(2), reason_string(properties)?.0)
        }
        kind @ (9 | 11) => {
            let (pkid, rest) = (word(body, 0)?, body.get(2..).unwrap_or_default());
            let (why, codes) = if v5 { reason_string(rest)? } else { (String::new(), rest) };
            if kind == 9 {
                Packet::SubAck(pkid, codes.to_vec(), why)
            } else {
                Packet::UnsubAck(pkid, codes.to_vec(), why)
            }
        }
        13 => Packet::PingResp,
        14 => Packet::Disconnect(byte(0)),
        other => bail!("a broker does not send packet type {other}"),
    })
}

/// Of a block of properties that has nothing else; and what comes after it. Without properties it is empty.
fn reason_string(bytes: &[u8]) -> anyhow::Result<(String, &[u8])> {
    let (length, rest) = match bytes {
        [] | [0] => return Ok((String::new(), &[])),
        [low @ 0..0x80, rest @ ..] => (usize::from(*low), rest),
        [low, high @ 0..0x80, rest @ ..] => (usize::from(low & 0x7f) | usize::from(*high) << 7, rest),
        _ => bail!("properties of more than 16,383 bytes"),
    };
    let (block, rest) = rest.split_at_checked(length).context("properties that end too early")?;
    if block.is_empty() {
        return Ok((String::new(), rest));
    }
    ensure!(block[0] == 0x1F && usize::from(word(block, 1)?) + 3 == length, "not a reason string alone: {block:02x?}");
    Ok((String::from_utf8(block[3..].to_vec())?, rest))
}

fn publish(first: u8, body: &[u8], v5: bool) -> anyhow::Result<Publish> {
    let qos = (first >> 1) & 3;
    let mut at = 2 + usize::from(word(body, 0)?);
    let topic = String::from_utf8(body.get(2..at).context("a topic that ends too early")?.to_vec())?;
    let mut pkid = 0;
    if qos > 0 {
        pkid = word(body, at)?;
        at += 2;
    }
    if v5 {
        let length = *body.get(at).context("no properties")?;
        ensure!(length < 128, "a test's messages have few properties");
        at += 1 + usize::from(length);
    }
    let payload = body.get(at..).context("a payload that ends too early")?.to_vec();
    Ok(Publish { dup: first & 8 != 0, qos, retain: first & 1 != 0, pkid, topic, payload })
}
