//! A message as flows see it, and as the codec does.

use bytes::{Bytes, BytesMut};
use flotilla_codec::client::Borrowed;
use flotilla_codec::{self as codec, Forwarded, PublishOut, QoS, Version, forwarded, put_forwarded};
use flotilla_value::Str;

/// A message that came or goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Publish {
    /// It may have been sent before.
    pub dup: bool,
    /// Quality of service.
    pub qos: QoS,
    /// A retained message.
    pub retain: bool,
    /// The topic.
    pub topic: Str,
    /// The packet identifier; 0 at QoS 0.
    pub id: u16,
    /// The payload.
    pub payload: Bytes,
    /// MQTT 5's properties, if any.
    pub props: Option<Box<PublishProps>>,
}

/// MQTT 5's properties of a message or a will.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishProps {
    /// The payload is UTF-8.
    pub utf8: Option<bool>,
    /// Seconds until the message expires.
    pub expiry: Option<u32>,
    /// Where a response goes.
    pub response_topic: Option<Str>,
    /// What a response quotes.
    pub correlation: Option<Bytes>,
    /// The payload's media type.
    pub content_type: Option<Str>,
    /// User properties, in order.
    pub user: Vec<(Str, Str)>,
    /// The subscriptions that the message comes through.
    pub subscription_ids: Vec<u32>,
}

impl From<Borrowed<'_>> for Publish {
    /// Copies what it keeps: a message that is held never holds the buffer that it came in.
    fn from(came: Borrowed<'_>) -> Publish {
        let props = (!came.properties.is_empty()).then(|| {
            let mut props = PublishProps {
                expiry: came.expiry,
                subscription_ids: came.subscription_ids,
                ..PublishProps::default()
            };
            forwarded(came.properties, |property| match property {
                Forwarded::Utf8(utf8) => props.utf8 = Some(utf8),
                Forwarded::ContentType(text) => props.content_type = Some(Str::new(text)),
                Forwarded::ResponseTopic(topic) => props.response_topic = Some(Str::new(topic)),
                Forwarded::Correlation(bytes) => props.correlation = Some(Bytes::copy_from_slice(bytes)),
                Forwarded::User(name, value) => props.user.push((Str::new(name), Str::new(value))),
            });
            Box::new(props)
        });
        Publish {
            dup: came.dup,
            qos: came.qos,
            retain: came.retain,
            topic: Str::new(came.topic),
            id: came.pkid,
            payload: Bytes::copy_from_slice(came.payload),
            props,
        }
    }
}

impl Publish {
    /// Appends the packet under this identifier. Source: section 3.3.
    pub(super) fn encode(&self, out: &mut BytesMut, version: Version, id: u16, dup: bool) {
        let forward = self.forward(version);
        codec::publish(out, version, &PublishOut { dup, pkid: id, ..self.packet(&forward) });
    }

    /// The packet's size in bytes.
    pub(super) fn size(&self, version: Version) -> usize {
        self.packet(&self.forward(version)).size(version)
    }

    /// As the last will of a connection, published `delay` seconds after its loss.
    pub fn into_will(self, delay: u32) -> codec::Will {
        let message = codec::Publish {
            dup: false,
            qos: self.qos,
            retain: self.retain,
            pkid: 0,
            topic: Bytes::copy_from_slice(self.topic.as_bytes()),
            alias: None,
            expiry: self.props.as_ref().and_then(|props| props.expiry),
            forward: self.forward(Version::V5).freeze(),
            payload: self.payload,
        };
        codec::Will { message, delay }
    }

    fn packet<'a>(&'a self, forward: &'a [u8]) -> PublishOut<'a> {
        PublishOut {
            qos: self.qos,
            retain: self.retain,
            expiry: self.props.as_ref().and_then(|props| props.expiry),
            forward,
            ..PublishOut::new(self.topic.as_bytes(), &self.payload)
        }
    }

    /// The properties without the expiry, encoded. Subscription identifiers are the server's.
    fn forward(&self, version: Version) -> BytesMut {
        let mut block = BytesMut::new();
        let Some(props) = self.props.as_ref().filter(|_| version == Version::V5) else { return block };
        let utf8 = props.utf8.map(Forwarded::Utf8);
        let media = props.content_type.as_deref().map(Forwarded::ContentType);
        let response = props.response_topic.as_deref().map(Forwarded::ResponseTopic);
        let correlation = props.correlation.as_deref().map(Forwarded::Correlation);
        let user = props.user.iter().map(|(name, value)| Forwarded::User(name, value));
        let all = utf8.into_iter().chain(media).chain(response).chain(correlation).chain(user);
        all.for_each(|property| put_forwarded(&mut block, &property));
        block
    }
}

#[cfg(test)]
mod tests {
    use flotilla_codec::client::{Incoming, decode_borrowed};
    use flotilla_codec::frame_len;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    fn came(packet: &[u8], version: Version) -> Publish {
        let (header, size) = frame_len(packet, 1 << 20).expect("a length").expect("a whole packet");
        assert_eq!(size, packet.len());
        match decode_borrowed(packet, header, version) {
            Ok(Incoming::Publish(message)) => message.into(),
            other => panic!("{other:?}"),
        }
    }

    prop_compose! {
        fn props()(
            texts in (option::of("[a-z/]{1,9}"), option::of("[a-z/]{1,9}")), correlation in option::of(vec(any::<u8>(), 0..9)),
            utf8: Option<bool>, expiry: Option<u32>, user in vec(("[a-z]{0,9}", "[a-z]{0,9}"), 0..4),
        ) -> PublishProps {
            PublishProps {
                utf8,
                expiry,
                response_topic: texts.0.map(Str::from),
                correlation: correlation.map(Bytes::from),
                content_type: texts.1.map(Str::from),
                user: user.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
                subscription_ids: Vec::new(),
            }
        }
    }

    proptest! {
        #[test]
        fn a_message_comes_back_as_it_went(
            topic in "[a-z/]{1,30}", payload in vec(any::<u8>(), 0..400), qos in 0u8..3, retain: bool, dup: bool,
            props in props(), v5: bool,
        ) {
            let version = if v5 { Version::V5 } else { Version::V4 };
            let qos = QoS::from_bits(qos).expect("below 3");
            let id = if qos == QoS::AtMostOnce { 0 } else { 7 };
            let sent = Publish { dup, qos, retain, id, topic: topic.into(), payload: payload.into(), props: Some(Box::new(props)) };
            let mut packet = BytesMut::new();
            sent.encode(&mut packet, version, id, dup);
            prop_assert_eq!(packet.len(), sent.size(version));
            let bare = !v5 || sent.props.as_deref() == Some(&PublishProps::default());
            let expected = if bare { Publish { props: None, ..sent } } else { sent };
            prop_assert_eq!(came(&packet, version), expected);
        }
    }

    #[test]
    fn a_message_says_which_subscriptions_it_came_through() {
        let mut packet = BytesMut::new();
        let message = PublishOut { subscription_ids: &[3, 300], expiry: Some(9), ..PublishOut::new(b"a", b"x") };
        codec::publish(&mut packet, Version::V5, &message);
        let props = came(&packet, Version::V5).props.expect("properties");
        assert_eq!((&props.subscription_ids[..], props.expiry), (&[3, 300][..], Some(9)));
    }
}
