//! One packet through the codec, as a connection does it: shared by the fuzz target and the tests.

use bytes::{Bytes, BytesMut};
use flotilla_codec::{Packet, Publish, PublishOut, Version, decode, decode_connect, frame_len, publish};

const LIMIT: usize = 1 << 20;

/// Decodes the packet that `bytes` begin with. Whether there was one.
pub fn feed(bytes: &[u8], version: Version) -> bool {
    let Ok(Some((header, size))) = frame_len(bytes, LIMIT) else { return false };
    let frame = Bytes::copy_from_slice(&bytes[..size]);
    if frame[0] == 0x10 {
        return decode_connect(frame, header).is_ok();
    }
    match decode(frame, header, version) {
        Ok(Packet::Publish(message)) => {
            again(message, version);
            true
        }
        other => other.is_ok(),
    }
}

/// What was taken is sent on as it came: encoded and decoded again it is the same.
fn again(message: Publish, version: Version) {
    let out = PublishOut {
        dup: message.dup,
        qos: message.qos,
        retain: message.retain,
        pkid: message.pkid,
        topic: &message.topic,
        alias: message.alias,
        expiry: message.expiry,
        subscription_ids: &[],
        forward: &message.forward,
        payload: &message.payload,
    };
    let mut bytes = BytesMut::new();
    publish(&mut bytes, version, &out);
    assert_eq!(bytes.len(), out.size(version));
    let (header, size) = frame_len(&bytes, usize::MAX).expect("its length is valid").expect("it is whole");
    assert_eq!(size, bytes.len());
    let decoded = decode(bytes.freeze(), header, version).expect("what was encoded is valid");
    assert_eq!(decoded, Packet::Publish(message));
}
