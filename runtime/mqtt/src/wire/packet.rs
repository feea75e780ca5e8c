//! The packets that a client exchanges, one set of types for every protocol version.

use bytes::Bytes;

use flotilla_value::Str;

/// The protocol version of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1 (`MQIsdp`, level 3): Node-RED's compat mode.
    V31,
    /// MQTT 3.1.1 (level 4).
    V311,
    /// MQTT 5 (level 5).
    V5,
}

/// Quality of service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Qos {
    /// At most once.
    #[default]
    Zero,
    /// At least once.
    One,
    /// Exactly once.
    Two,
}

/// Bytes that are not MQTT.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The packet ends before its fields do.
    #[error("the {0} packet ends before its fields do")]
    Short(&'static str),
    /// A field holds what it may not hold.
    #[error("the {packet} packet has {what}")]
    Malformed {
        /// The packet's name.
        packet: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// A packet type that a server may not send.
    #[error("packet type {0} may not come from a server")]
    Unexpected(u8),
    /// Larger than we take.
    #[error("a packet of {size} bytes is larger than the {limit} bytes that are taken here")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

/// A packet from the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// Answer to CONNECT.
    ConnAck(Box<ConnAck>),
    /// A message.
    Publish(Publish),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Ack(AckKind, Ack),
    /// Answer to SUBSCRIBE.
    SubAck(SubAck),
    /// Answer to UNSUBSCRIBE.
    UnsubAck(SubAck),
    /// Answer to PINGREQ.
    PingResp,
    /// The server ends the connection (MQTT 5): reason code and text.
    Disconnect(u8, Str),
    /// Extended authentication (MQTT 5), which we never ask for.
    Auth,
}

/// Which of the four acknowledgement packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckKind {
    /// For QoS 1.
    PubAck,
    /// QoS 2, first answer.
    PubRec,
    /// QoS 2, release.
    PubRel,
    /// QoS 2, the end.
    PubComp,
}

/// An acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The packet identifier.
    pub id: u16,
    /// The reason code: 0x80 and above are failures.
    pub code: u8,
    /// The reason as text, or empty.
    pub reason: Str,
}

/// SUBACK or UNSUBACK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubAck {
    /// The packet identifier.
    pub id: u16,
    /// One code per filter; none in a 3.1.1 UNSUBACK.
    pub codes: Vec<u8>,
    /// The reason as text, or empty.
    pub reason: Str,
}

/// CONNACK.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnAck {
    /// The server has a session of this client.
    pub session_present: bool,
    /// 0 is success; 1 to 5 in 3.1.1, reason codes in 5.
    pub code: u8,
    /// How many QoS 1 and 2 publishes may be unacknowledged; 65,535 when the server does not say.
    pub receive_maximum: Option<u16>,
    /// The highest QoS that the server takes.
    pub maximum_qos: Option<u8>,
    /// The largest packet that the server takes.
    pub maximum_packet_size: Option<u32>,
    /// The server's keep alive, in seconds: it overrides ours.
    pub server_keep_alive: Option<u16>,
    /// The ClientID that the server made.
    pub assigned_client_id: Option<Str>,
    /// False when subscription identifiers may not be used.
    pub subscription_ids: Option<bool>,
    /// False when there are no shared subscriptions.
    pub shared_subscriptions: Option<bool>,
    /// The reason as text, or empty.
    pub reason: Str,
    /// User properties.
    pub user: Vec<(Str, Str)>,
}

/// PUBLISH.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Publish {
    /// It may have been sent before.
    pub dup: bool,
    /// Quality of service.
    pub qos: Qos,
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

/// MQTT 5's properties of a PUBLISH or a will.
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

impl Qos {
    /// From its number.
    pub fn from_number(number: u8) -> Option<Qos> {
        [Qos::Zero, Qos::One, Qos::Two].get(usize::from(number)).copied()
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self as u8
    }
}
