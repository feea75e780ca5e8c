//! One packet from a server through the client's half of the codec: shared by the fuzz target and the tests.

use bytes::{Bytes, BytesMut};
use flotilla_codec::client::{Incoming, Received, decode};
use flotilla_codec::{PublishOut, Version, frame_len, publish};

const LIMIT: usize = 1 << 20;

/// Decodes the packet that `bytes` begin with. Whether there was one.
pub fn feed(bytes: &[u8], version: Version) -> bool {
    let Ok(Some((header, size))) = frame_len(bytes, LIMIT) else { return false };
    match decode(Bytes::copy_from_slice(&bytes[..size]), header, version) {
        Ok(Incoming::Publish(message)) => {
            again(message, version);
            true
        }
        other => other.is_ok(),
    }
}

/// A message is encoded and decoded again to the same.
fn again(message: Received, version: Version) {
    let Received { publish: found, subscription_ids } = &message;
    let out = PublishOut {
        dup: found.dup,
        qos: found.qos,
        retain: found.retain,
        pkid: found.pkid,
        topic: &found.topic,
        alias: found.alias,
        expiry: found.expiry,
        subscription_ids,
        forward: &found.forward,
        payload: &found.payload,
    };
    let mut bytes = BytesMut::new();
    publish(&mut bytes, version, &out);
    let (header, size) = frame_len(&bytes, usize::MAX).expect("its length is valid").expect("it is whole");
    assert_eq!(size, bytes.len());
    let decoded = decode(bytes.freeze(), header, version).expect("what was encoded is valid");
    assert_eq!(decoded, Incoming::Publish(message));
}
