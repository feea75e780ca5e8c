//! A message's body as it is stored.

use std::{sync::Arc, time::Instant};

use bytes::{Buf, BufMut, Bytes};

use super::Clock;
use crate::message::Message;
use flotilla_codec::QoS;

/// A message as bytes: flags, expiry (milliseconds since 1970, 0 for none), topic, properties, payload.
pub fn encode(message: &Message, clock: Clock) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.size());
    out.put_u8(message.qos as u8 | u8::from(message.retain) << 2);
    out.put_u64(message.expires.map_or(0, |at| clock.to_millis(at).max(1)));
    out.put_u16(message.topic.len() as u16);
    out.put_slice(&message.topic);
    out.put_u32(message.forward.len() as u32);
    out.put_slice(&message.forward);
    out.put_slice(&message.payload);
    out
}

/// The message again; `None` when the bytes are not one.
pub fn decode(bytes: Vec<u8>, clock: Clock) -> Option<Arc<Message>> {
    let mut rest = Bytes::from(bytes);
    let flags = rest.try_get_u8().ok()?;
    let expires: Option<Instant> = match rest.try_get_u64().ok()? {
        0 => None,
        millis => Some(clock.to_instant(millis)),
    };
    let len = usize::from(rest.try_get_u16().ok()?);
    let topic = take(&mut rest, len)?;
    std::str::from_utf8(&topic).ok()?;
    let len = rest.try_get_u32().ok()? as usize;
    let forward = take(&mut rest, len)?;
    let qos = QoS::from_bits(flags & 3)?;
    Some(Arc::new(Message { topic, payload: rest, forward, qos, retain: flags & 4 != 0, expires, weight: None }))
}

fn take(rest: &mut Bytes, len: usize) -> Option<Bytes> {
    (rest.len() >= len).then(|| rest.split_to(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was() {
        let clock = Clock::now();
        let message = Message {
            topic: Bytes::from_static(b"a/b"),
            payload: Bytes::from_static(b"payload"),
            forward: Bytes::from_static(&[1, 1]),
            qos: QoS::ExactlyOnce,
            retain: true,
            expires: None,
            weight: None,
        };
        let bytes = encode(&message, clock);
        let back = decode(bytes.clone(), clock).unwrap();
        assert_eq!((&back.topic, &back.payload, &back.forward), (&message.topic, &message.payload, &message.forward));
        assert_eq!((back.qos, back.retain, back.expires), (message.qos, message.retain, message.expires));
        for cut in 0..18 {
            assert!(decode(bytes[..cut].to_vec(), clock).is_none(), "{cut}");
        }
    }
}
