//! The packets that a server sends.

use crate::{Ack, Publish, QoS, UserProperties};

/// A packet from a server; `M` is what a message is to its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming<M = Received> {
    /// The answer to CONNECT.
    ConnAck(Box<ConnAck>),
    /// A message.
    Publish(M),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP, and its reason string or an empty one.
    Ack(Ack, String),
    /// The answer to SUBSCRIBE.
    SubAck(Answer),
    /// The answer to UNSUBSCRIBE.
    UnsubAck(Answer),
    /// The answer to PINGREQ.
    PingResp,
    /// The server ends the connection (MQTT 5).
    Disconnect {
        /// The reason code.
        reason: u8,
        /// The reason string, or empty.
        text: String,
    },
    /// Enhanced authentication (MQTT 5).
    Auth,
}

/// A message from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The message. Its topic may be empty only with an alias.
    pub publish: Publish,
    /// The identifiers of the subscriptions that it comes through; MQTT 5 only.
    pub subscription_ids: Vec<u32>,
}

/// A message from a server, before anything of it was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Borrowed<'a> {
    /// It may have been sent before.
    pub dup: bool,
    /// Quality of service.
    pub qos: QoS,
    /// Retain flag.
    pub retain: bool,
    /// 0 at QoS 0.
    pub pkid: u16,
    /// Empty only with an alias.
    pub topic: &'a str,
    /// Topic alias.
    pub alias: Option<u16>,
    /// Seconds until the message expires.
    pub expiry: Option<u32>,
    /// The identifiers of the subscriptions that it comes through; MQTT 5 only.
    pub subscription_ids: Vec<u32>,
    /// All of its properties, encoded: [`crate::forwarded`] reads those that have no field here.
    pub properties: &'a [u8],
    /// Payload.
    pub payload: &'a [u8],
}

/// SUBACK or UNSUBACK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Packet id.
    pub pkid: u16,
    /// One code per filter; none in an UNSUBACK before MQTT 5.
    pub codes: Vec<u8>,
    /// The reason string, or empty.
    pub text: String,
}

/// CONNACK.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnAck {
    /// The server has a session of this client.
    pub session_present: bool,
    /// 0 is success; 1 to 5 refuse before MQTT 5, reason codes in 5.
    pub code: u8,
    /// Seconds that the session outlives the connection, if other than asked for.
    pub session_expiry: Option<u32>,
    /// How many QoS 1 and 2 publishes may be unacknowledged; 65,535 when the server does not say.
    pub receive_maximum: Option<u16>,
    /// The highest QoS that the server takes.
    pub max_qos: Option<u8>,
    /// Whether the server takes retained messages.
    pub retain_available: Option<bool>,
    /// The largest packet that the server takes.
    pub max_packet: Option<u32>,
    /// The highest topic alias that the server takes.
    pub topic_alias_max: Option<u16>,
    /// The server's keep alive in seconds: it overrides the client's.
    pub keep_alive: Option<u16>,
    /// The ClientID that the server made.
    pub assigned_id: Option<String>,
    /// Whether subscription identifiers may be used.
    pub subscription_ids: Option<bool>,
    /// Whether there are shared subscriptions.
    pub shared_subscriptions: Option<bool>,
    /// The reason string, or empty.
    pub text: String,
    /// User properties.
    pub user: UserProperties,
}

impl<M> Incoming<M> {
    /// With its message, if it is one, as another.
    pub fn map<N>(self, message: impl FnOnce(M) -> N) -> Incoming<N> {
        match self {
            Self::Publish(found) => Incoming::Publish(message(found)),
            Self::ConnAck(found) => Incoming::ConnAck(found),
            Self::Ack(found, text) => Incoming::Ack(found, text),
            Self::SubAck(found) => Incoming::SubAck(found),
            Self::UnsubAck(found) => Incoming::UnsubAck(found),
            Self::PingResp => Incoming::PingResp,
            Self::Disconnect { reason, text } => Incoming::Disconnect { reason, text },
            Self::Auth => Incoming::Auth,
        }
    }
}
