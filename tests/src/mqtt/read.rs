//! Packets that came.

use anyhow::{Context, bail, ensure};

/// What a broker sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// CONNACK: session present, code, properties as bytes.
    ConnAck(bool, u8, Vec<u8>),
    /// PUBLISH.
    Publish(Publish),
    /// PUBACK (4), PUBREC (5), PUBREL (6), PUBCOMP (7): kind, packet id, reason.
    Ack(u8, u16, u8),
    /// SUBACK: packet id, codes.
    SubAck(u16, Vec<u8>),
    /// UNSUBACK: packet id.
    UnsubAck(u16),
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
        kind @ 4..=7 => Packet::Ack(kind, word(body, 0)?, byte(2)),
        9 => Packet::SubAck(word(body, 0)?, body.get(if v5 { 3 } else { 2 }..).unwrap_or_default().to_vec()),
        11 => Packet::UnsubAck(word(body, 0)?),
        13 => Packet::PingResp,
        14 => Packet::Disconnect(byte(0)),
        other => bail!("a broker does not send packet type {other}"),
    })
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
