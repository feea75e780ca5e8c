//! What rumqttc reports, the same for MQTT 3.1.1 and 5.

use bytes::Bytes;
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use rumqttc::{Outgoing, v5};

/// Whether the broker had a subscriber for a message, as far as it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routed {
    /// It had, or it does not say.
    Yes,
    /// It had none (MQTT 5, reason 0x10).
    No,
}

/// What happened on a link.
#[derive(Debug)]
pub enum Happening {
    /// CONNACK with success.
    Connected {
        /// The broker still had the session.
        session: bool,
    },
    /// A PUBLISH was written; its packet identifier, 0 at QoS 0.
    Written(u16),
    /// PUBREC with success: the message is the broker's.
    Taken(u16, Routed),
    /// PUBACK or PUBCOMP with success.
    Acked(u16, Routed),
    /// A PUBLISH was refused; why.
    Refused(u16, String),
    /// SUBACK: all filters were accepted.
    Subscribed,
    /// SUBACK: one was not; why.
    NotSubscribed(String),
    /// A message arrived.
    Message(Box<Arrived>),
    /// PUBACK or PUBCOMP was sent: an incoming message is finished.
    Released(u16),
    /// DISCONNECT was sent.
    Left,
    /// Nothing of interest.
    Other,
}

/// A message that arrived.
#[derive(Debug)]
pub struct Arrived {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Bytes,
    /// 0, 1 or 2.
    pub qos: u8,
    /// It is a retained one.
    pub retain: bool,
    /// The broker sent it before (MQTT-3.3.1-1).
    pub dup: bool,
    /// Its packet identifier, 0 at QoS 0.
    pub pkid: u16,
    /// Its properties (MQTT 5).
    pub properties: PublishProperties,
}

/// Of MQTT 3.1.1.
pub(super) fn v4(event: rumqttc::Event) -> Happening {
    use rumqttc::{Event, Packet, SubscribeReasonCode};
    match event {
        Event::Incoming(Packet::ConnAck(ack)) => Happening::Connected { session: ack.session_present },
        Event::Incoming(Packet::PubAck(ack)) => Happening::Acked(ack.pkid, Routed::Yes),
        Event::Incoming(Packet::PubRec(ack)) => Happening::Taken(ack.pkid, Routed::Yes),
        Event::Incoming(Packet::PubComp(ack)) => Happening::Acked(ack.pkid, Routed::Yes),
        Event::Incoming(Packet::SubAck(ack)) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
            Happening::NotSubscribed("reason 0x80".to_owned())
        }
        Event::Incoming(Packet::SubAck(_)) => Happening::Subscribed,
        Event::Incoming(Packet::Publish(publish)) => Happening::Message(Box::new(Arrived {
            topic: publish.topic,
            payload: publish.payload,
            qos: publish.qos as u8,
            retain: publish.retain,
            dup: publish.dup,
            pkid: publish.pkid,
            properties: PublishProperties::default(),
        })),
        Event::Outgoing(outgoing) => sent(&outgoing),
        Event::Incoming(_) => Happening::Other,
    }
}

/// Of MQTT 5.
pub(super) fn v5(event: v5::Event) -> Happening {
    use v5::Event;
    use v5::mqttbytes::v5::{Packet, PubAckReason, PubRecReason, SubscribeReasonCode};
    match event {
        Event::Incoming(Packet::ConnAck(ack)) => Happening::Connected { session: ack.session_present },
        Event::Incoming(Packet::PubAck(ack)) => match ack.reason {
            PubAckReason::Success => Happening::Acked(ack.pkid, Routed::Yes),
            PubAckReason::NoMatchingSubscribers => Happening::Acked(ack.pkid, Routed::No),
            other => Happening::Refused(ack.pkid, format!("{other:?}")),
        },
        Event::Incoming(Packet::PubRec(ack)) => match ack.reason {
            PubRecReason::Success => Happening::Taken(ack.pkid, Routed::Yes),
            PubRecReason::NoMatchingSubscribers => Happening::Taken(ack.pkid, Routed::No),
            other => Happening::Refused(ack.pkid, format!("{other:?}")),
        },
        Event::Incoming(Packet::PubComp(ack)) => Happening::Acked(ack.pkid, Routed::Yes),
        Event::Incoming(Packet::SubAck(ack)) => {
            let refused = ack.return_codes.iter().find(|code| !matches!(code, SubscribeReasonCode::Success(_)));
            refused.map_or(Happening::Subscribed, |code| Happening::NotSubscribed(format!("{code:?}")))
        }
        Event::Incoming(Packet::Publish(publish)) => Happening::Message(Box::new(Arrived {
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            payload: publish.payload,
            qos: publish.qos as u8,
            retain: publish.retain,
            dup: publish.dup,
            pkid: publish.pkid,
            properties: publish.properties.unwrap_or_default(),
        })),
        Event::Outgoing(outgoing) => sent(&outgoing),
        Event::Incoming(_) => Happening::Other,
    }
}

fn sent(outgoing: &Outgoing) -> Happening {
    match outgoing {
        Outgoing::Publish(pkid) => Happening::Written(*pkid),
        Outgoing::PubAck(pkid) | Outgoing::PubComp(pkid) => Happening::Released(*pkid),
        Outgoing::Disconnect => Happening::Left,
        _ => Happening::Other,
    }
}
