//! Bytes there and back, and bytes that are no packet at all.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::packet::WireError;
use super::*;

proptest! {
    #[test]
    fn any_bytes_decode_or_are_refused(first in any::<u8>(), body in proptest::collection::vec(any::<u8>(), 0..64)) {
        let mut bytes = vec![first, body.len() as u8];
        bytes.extend(body);
        for version in [Version::V31, Version::V311, Version::V5] {
            let _ = decode(&bytes, version, 1 << 20);
        }
    }

    #[test]
    fn a_publish_comes_back_as_it_went(
        topic in "[a-z/]{1,30}", payload in proptest::collection::vec(any::<u8>(), 0..400), qos in 0u8..3,
        expiry in proptest::option::of(any::<u32>()), user in proptest::collection::vec(("[a-z]{0,9}", "[a-z]{0,9}"), 0..4),
    ) {
        let props = PublishProps {
            expiry, user: user.into_iter().map(|(a, b)| (a.into(), b.into())).collect(), ..PublishProps::default()
        };
        let qos = Qos::from_number(qos).expect("below 3");
        let id = if qos == Qos::Zero { 0 } else { 7 };
        let sent = Publish { qos, id, topic: topic.into(), payload: Bytes::from(payload), props: Some(Box::new(props)), ..Publish::default() };
        let mut buf = BytesMut::new();
        publish(&mut buf, Version::V5, &sent, id, false);
        prop_assert_eq!(buf.len(), publish_size(&sent, Version::V5));
        let Ok(Decoded::Packet(Incoming::Publish(got), used)) = decode(&buf, Version::V5, 1 << 20) else { panic!("no publish") };
        prop_assert_eq!(used, buf.len());
        let empty = sent.props.as_deref() == Some(&PublishProps::default());
        prop_assert_eq!(got, if empty { Publish { props: None, ..sent } } else { sent });
    }
}

#[test]
fn a_partial_packet_says_how_much_it_needs() {
    let mut buf = BytesMut::new();
    let sent = Publish { topic: "a".into(), payload: Bytes::from(vec![1; 300]), ..Publish::default() };
    publish(&mut buf, Version::V311, &sent, 0, false);
    assert_eq!(decode(&buf[..10], Version::V311, 1000), Ok(Decoded::Need(buf.len())));
    assert_eq!(decode(&buf, Version::V311, 100), Err(WireError::TooLarge { size: buf.len(), limit: 100 }));
}
