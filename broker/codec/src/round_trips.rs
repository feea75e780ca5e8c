//! What one side encodes, the other side decodes to the same: both ways, for every version.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::client::{self, Answer, Incoming, Received};
use crate::*;

const ROOM: usize = usize::MAX;

fn framed(encode: impl FnOnce(&mut BytesMut)) -> (Bytes, usize) {
    let mut out = BytesMut::new();
    encode(&mut out);
    let (header, size) = frame_len(&out, usize::MAX).expect("a valid length").expect("a whole packet");
    assert_eq!(size, out.len(), "the length is that of the packet");
    (out.freeze(), header)
}

fn to_server(version: Version, encode: impl FnOnce(&mut BytesMut)) -> Result<Packet, WireError> {
    let (frame, header) = framed(encode);
    decode(frame, header, version)
}

fn to_client(version: Version, encode: impl FnOnce(&mut BytesMut)) -> Result<Incoming, WireError> {
    let (frame, header) = framed(encode);
    let owned = client::decode(frame.clone(), header, version);
    let borrowed = client::decode_borrowed(&frame, header, version);
    let without_message = |incoming: Incoming| incoming.map(drop);
    assert_eq!(
        owned.clone().map(without_message),
        borrowed.clone().map(|incoming| incoming.map(drop)),
        "both ways to decode agree"
    );
    if let (Ok(Incoming::Publish(owned)), Ok(Incoming::Publish(borrowed))) = (&owned, &borrowed) {
        let Publish { dup, qos, retain, pkid, topic, alias, expiry, forward, payload } = &owned.publish;
        assert_eq!((*dup, *qos, *retain, *pkid), (borrowed.dup, borrowed.qos, borrowed.retain, borrowed.pkid));
        assert_eq!((&topic[..], &payload[..]), (borrowed.topic.as_bytes(), borrowed.payload));
        assert_eq!((*alias, *expiry), (borrowed.alias, borrowed.expiry));
        assert_eq!(owned.subscription_ids, borrowed.subscription_ids);
        let (mut passed_on, mut all) = (Vec::new(), Vec::new());
        forwarded(forward, |property| passed_on.push(property));
        forwarded(borrowed.properties, |property| all.push(property));
        assert_eq!(passed_on, all);
    }
    owned
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V4), Just(Version::V5)]
}

fn qos() -> impl Strategy<Value = QoS> {
    prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)]
}

fn user() -> impl Strategy<Value = UserProperties> {
    vec(("[a-zä]{0,9}", "\\PC{0,90}"), 0..4)
}

fn block() -> impl Strategy<Value = Bytes> {
    let texts = option::of("[a-z/]{1,20}");
    (option::of(any::<bool>()), texts.clone(), texts, option::of(vec(any::<u8>(), 0..30)), user()).prop_map(
        |(utf8, media, topic, correlation, user)| {
            let mut block = BytesMut::new();
            let mut put = |property: &Forwarded<'_>| put_forwarded(&mut block, property);
            utf8.iter().for_each(|utf8| put(&Forwarded::Utf8(*utf8)));
            media.iter().for_each(|media| put(&Forwarded::ContentType(media)));
            topic.iter().for_each(|topic| put(&Forwarded::ResponseTopic(topic)));
            correlation.iter().for_each(|bytes| put(&Forwarded::Correlation(bytes)));
            user.iter().for_each(|(name, value)| put(&Forwarded::User(name, value)));
            block.freeze()
        },
    )
}

fn message(version: Version) -> impl Strategy<Value = Publish> {
    let fields = (any::<bool>(), qos(), any::<bool>(), 1u16.., "[a-zä/]{1,300}", vec(any::<u8>(), 0..400));
    (fields, option::of(any::<u16>()), option::of(any::<u32>()), block()).prop_map(
        move |((dup, qos, retain, pkid, topic, payload), alias, expiry, forward)| {
            let (acknowledged, v5) = (qos != QoS::AtMostOnce, version == Version::V5);
            Publish {
                dup: dup && acknowledged,
                qos,
                retain,
                pkid: if acknowledged { pkid } else { 0 },
                topic: topic.into(),
                alias: alias.filter(|_| v5),
                expiry: expiry.filter(|_| v5),
                forward: if v5 { forward } else { Bytes::new() },
                payload: payload.into(),
            }
        },
    )
}

fn put(out: &mut BytesMut, version: Version, message: &Publish, subscription_ids: &[u32]) {
    let message = PublishOut {
        dup: message.dup,
        qos: message.qos,
        retain: message.retain,
        pkid: message.pkid,
        topic: &message.topic,
        alias: message.alias,
        expiry: message.expiry,
        subscription_ids,
        forward: &message.forward,
        payload: &message.payload,
    };
    publish(out, version, &message);
    assert_eq!(message.size(version), out.len());
}

prop_compose! {
    fn connects(version: Version)(
        flags in (any::<bool>(), any::<bool>(), any::<bool>()), keep_alive: u16, client_id in "\\PC{0,40}",
        limits in (any::<u32>(), 1u16.., 1u32.., any::<u16>()), user in user(),
        will in option::of((message(version), any::<u32>())),
        username in option::of("\\PC{0,20}"), password in option::of(vec(any::<u8>(), 0..20)),
    ) -> Connect {
        let mut connect = Connect { clean_start: flags.0, keep_alive, ..Connect::new(version, client_id) };
        connect.username = username;
        connect.password = password.map(Bytes::from);
        connect.will = will.map(|(message, delay)| Will {
            message: Publish { dup: false, pkid: 0, alias: None, ..message },
            delay: if version == Version::V5 { delay } else { 0 },
        });
        if version == Version::V5 {
            (connect.session_expiry, connect.receive_maximum, connect.max_packet, connect.topic_alias_max) = limits;
            (connect.problem_info, connect.response_info, connect.user) = (flags.1, flags.2, user);
        } else {
            connect.session_expiry = if flags.0 { 0 } else { u32::MAX };
            if connect.password.is_some() {
                connect.username.get_or_insert_default();
            }
        }
        connect
    }
}

proptest! {
    #[test]
    fn connect_arrives(wanted in version().prop_flat_map(connects)) {
        let (frame, header) = framed(|out| client::connect(out, &wanted));
        prop_assert_eq!(decode_connect(frame, header), Ok(wanted));
    }

    #[test]
    fn a_message_arrives_at_the_server((version, sent) in version().prop_flat_map(|v| (Just(v), message(v)))) {
        let got = to_server(version, |out| put(out, version, &sent, &[]));
        prop_assert_eq!(got, Ok(Packet::Publish(sent)));
    }

    #[test]
    fn a_message_arrives_at_the_client(
        (version, sent) in version().prop_flat_map(|v| (Just(v), message(v))), ids in vec(1u32..1 << 28, 0..3),
    ) {
        let ids = if version == Version::V5 { ids } else { Vec::new() };
        let got = to_client(version, |out| put(out, version, &sent, &ids));
        prop_assert_eq!(got, Ok(Incoming::Publish(Received { publish: sent, subscription_ids: ids })));
    }

    #[test]
    fn what_is_forwarded_is_read_as_it_was_put(block in block()) {
        let mut again = BytesMut::new();
        forwarded(&block, |property| put_forwarded(&mut again, &property));
        prop_assert_eq!(again.freeze(), block);
    }

    #[test]
    fn subscribe_and_unsubscribe_arrive(
        version in version(), pkid in 1u16.., id in option::of(1u32..1 << 28), user in user(),
        filters in vec(("\\PC{0,200}", qos(), any::<bool>(), any::<bool>(), 0u8..3), 1..5),
    ) {
        let v5 = version == Version::V5;
        let names = filters.iter().map(|filter| filter.0.clone()).collect();
        let filters = filters.into_iter().map(|(filter, qos, no_local, retain_as_published, handling)| SubRequest {
            filter,
            qos,
            no_local: no_local && v5,
            retain_as_published: retain_as_published && v5,
            retain_handling: match handling {
                1 if v5 => RetainHandling::IfNew,
                2 if v5 => RetainHandling::Never,
                _ => RetainHandling::Always,
            },
        });
        let wanted = Subscribe {
            pkid, id: id.filter(|_| v5), user: if v5 { user } else { Vec::new() }, filters: filters.collect(),
        };
        let got = to_server(version, |out| client::subscribe(out, version, &wanted));
        prop_assert_eq!(got, Ok(Packet::Subscribe(wanted)));
        let wanted = Unsubscribe { pkid, filters: names };
        let got = to_server(version, |out| client::unsubscribe(out, version, &wanted));
        prop_assert_eq!(got, Ok(Packet::Unsubscribe(wanted)));
    }

    #[test]
    fn acknowledgements_arrive_both_ways(version in version(), kind in 0usize..4, pkid in 1u16.., refused: bool) {
        let kind = [AckKind::PubAck, AckKind::PubRec, AckKind::PubRel, AckKind::PubComp][kind];
        let reason = if refused { Reason::QuotaExceeded } else { Reason::Success };
        let why = Why { reason, detail: "the queue is full", room: ROOM };
        let told = refused && version == Version::V5;
        let expected = Ack { kind, pkid, reason: if told { reason as u8 } else { 0 } };
        prop_assert_eq!(to_server(version, |out| ack(out, version, kind, pkid, why)), Ok(Packet::Ack(expected)));
        let text = if told { why.detail } else { "" };
        let got = to_client(version, |out| ack(out, version, kind, pkid, why));
        prop_assert_eq!(got, Ok(Incoming::Ack(expected, text.to_owned())));
    }

    #[test]
    fn answers_arrive(version in version(), pkid in 1u16.., codes in vec(0u8..3, 1..5), refused: bool) {
        let reason = if refused { Reason::NotAuthorized } else { Reason::Success };
        let why = Why { reason, detail: "not for you", room: ROOM };
        let v5 = version == Version::V5;
        let text = if refused && v5 { why.detail.to_owned() } else { String::new() };
        let got = to_client(version, |out| suback(out, version, pkid, &codes, why));
        prop_assert_eq!(got, Ok(Incoming::SubAck(Answer { pkid, codes: codes.clone(), text: text.clone() })));
        let got = to_client(version, |out| unsuback(out, version, pkid, &codes, why));
        let codes = if v5 { codes } else { Vec::new() };
        prop_assert_eq!(got, Ok(Incoming::UnsubAck(Answer { pkid, codes, text })));
    }

    #[test]
    fn connack_arrives(
        session_present: bool, session_expiry in option::of(any::<u32>()), receive_maximum in option::of(1u16..),
        max_packet in option::of(1u32..), id in option::of("[a-z]{1,20}"), topic_alias_max: u16, no_retain: bool,
        keep_alive in option::of(any::<u16>()), user in user(),
    ) {
        let pairs: Vec<_> = user.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let told = ConnAck {
            session_present, session_expiry, receive_maximum, max_packet, assigned_id: id.as_deref(), topic_alias_max,
            no_retain, keep_alive, refusal: "", user: &pairs,
        };
        let got = to_client(Version::V5, |out| connack(out, Version::V5, Reason::Success, &told, ROOM));
        prop_assert_eq!(got, Ok(Incoming::ConnAck(Box::new(client::ConnAck {
            session_present, session_expiry, receive_maximum, max_packet, keep_alive,
            topic_alias_max: (topic_alias_max > 0).then_some(topic_alias_max),
            retain_available: no_retain.then_some(false),
            assigned_id: id.clone(), user: user.clone(), ..client::ConnAck::default()
        }))));
        let got = to_client(Version::V4, |out| connack(out, Version::V4, Reason::NotAuthorized, &told, ROOM));
        prop_assert_eq!(got, Ok(Incoming::ConnAck(Box::new(client::ConnAck {
            session_present, code: 5, ..client::ConnAck::default()
        }))));
    }

    #[test]
    fn disconnect_arrives(version in version(), reason: u8, session_expiry in option::of(any::<u32>())) {
        let wanted = Disconnect { reason, session_expiry };
        let got = to_server(version, |out| client::disconnect(out, version, wanted));
        let bare = Disconnect { reason: 0, session_expiry: None };
        prop_assert_eq!(got, Ok(Packet::Disconnect(if version == Version::V5 { wanted } else { bare })));
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..80)) {
        let mut frame = vec![bytes.first().copied().unwrap_or(0x30), bytes.len() as u8];
        frame.extend(bytes);
        let frame = Bytes::from(frame);
        for version in [Version::V3, Version::V4, Version::V5] {
            let _ = client::decode(frame.clone(), 2, version);
            let _ = decode(frame.clone(), 2, version);
            let _ = decode_connect(frame.clone(), 2);
        }
    }
}

#[test]
fn a_server_says_why_it_ends() {
    let got = to_client(Version::V5, |out| disconnect(out, Version::V5, Reason::SessionTakenOver, ROOM));
    let text = Reason::SessionTakenOver.text().to_owned();
    assert_eq!(got, Ok(Incoming::Disconnect { reason: 0x8E, text }));
    assert_eq!(to_client(Version::V5, pingresp), Ok(Incoming::PingResp));
    assert_eq!(to_server(Version::V5, client::pingreq), Ok(Packet::PingReq));
}

#[test]
fn mqtt_3_1_is_written_as_it_was() {
    let (frame, header) = framed(|out| client::connect(out, &Connect::new(Version::V3, "old")));
    assert_eq!(frame[..], *b"\x10\x11\0\x06MQIsdp\x03\x02\0\0\0\x03old");
    assert_eq!(decode_connect(frame, header), Err(WireError::Version(3)));
}

#[test]
fn the_length_is_known_before_the_packet_is_whole() {
    let mut out = BytesMut::new();
    publish(&mut out, Version::V4, &PublishOut::new(b"a", &[1; 300]));
    let whole = out.len();
    assert_eq!(packet_len(&out[..1], whole), Ok(None));
    assert_eq!(packet_len(&out[..3], whole), Ok(Some((3, whole))));
    assert_eq!((frame_len(&out[..whole - 1], whole), frame_len(&out, whole)), (Ok(None), Ok(Some((3, whole)))));
    assert_eq!(packet_len(&out, whole - 1), Err(WireError::TooLarge { size: whole, limit: whole - 1 }));
}
