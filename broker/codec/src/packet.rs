//! The packets that a client sends, one set of types for all versions.

use bytes::Bytes;

/// The protocol a connection speaks, from its CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// MQTT 3.1 (`MQIsdp`, level 3). Clients may speak it; [`crate::decode_connect`] refuses it.
    V3,
    /// MQTT 3.1.1.
    #[default]
    V4,
    /// MQTT 5.
    V5,
}

/// Quality of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum QoS {
    /// 0
    #[default]
    AtMostOnce = 0,
    /// 1
    AtLeastOnce = 1,
    /// 2
    ExactlyOnce = 2,
}

impl QoS {
    /// From the two bits on the wire; 3 is malformed.
    pub fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

/// User properties: names and values, in order.
pub type UserProperties = Vec<(String, String)>;

/// What a client may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// A message.
    Publish(Publish),
    /// PUBACK, PUBREC, PUBREL or PUBCOMP.
    Ack(Ack),
    /// SUBSCRIBE.
    Subscribe(Subscribe),
    /// UNSUBSCRIBE.
    Unsubscribe(Unsubscribe),
    /// PINGREQ.
    PingReq,
    /// DISCONNECT.
    Disconnect(Disconnect),
    /// AUTH: no method is offered, so this is always refused.
    Auth,
}

/// CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// Protocol level.
    pub version: Version,
    /// Start without the stored session.
    pub clean_start: bool,
    /// Seconds; 0 means never time out.
    pub keep_alive: u16,
    /// Empty asks for an assigned one.
    pub client_id: String,
    /// Seconds the session outlives the connection; `u32::MAX` for ever. 3.1.1: 0 when clean, else for ever.
    pub session_expiry: u32,
    /// How many QoS 1 and 2 messages the client takes un-acknowledged.
    pub receive_maximum: u16,
    /// The largest packet the client takes.
    pub max_packet: u32,
    /// Highest alias the client takes; 0 for none.
    pub topic_alias_max: u16,
    /// The client asked for reason strings and user properties on failures.
    pub problem_info: bool,
    /// The client asked for response information.
    pub response_info: bool,
    /// An authentication method was named. Such a CONNECT is read only: nothing here offers a method.
    pub auth_method: bool,
    /// MQTT 5 only.
    pub user: UserProperties,
    /// Will message.
    pub will: Option<Will>,
    /// User name.
    pub username: Option<String>,
    /// Password: bytes, not text.
    pub password: Option<Bytes>,
}

/// The will in a CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// The message, with packet id 0.
    pub message: Publish,
    /// Seconds between the end of the connection and the publication.
    pub delay: u32,
}

/// PUBLISH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// A repeated attempt.
    pub dup: bool,
    /// Quality of service.
    pub qos: QoS,
    /// Retain flag.
    pub retain: bool,
    /// 0 at QoS 0.
    pub pkid: u16,
    /// UTF-8, checked; empty only with an alias.
    pub topic: Bytes,
    /// Topic alias.
    pub alias: Option<u16>,
    /// Seconds until the message expires.
    pub expiry: Option<u32>,
    /// The encoded properties that go on to subscribers untouched, in order.
    pub forward: Bytes,
    /// Payload.
    pub payload: Bytes,
}

/// Which of the four acknowledgements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckKind {
    /// QoS 1 done.
    PubAck = 4,
    /// QoS 2 received.
    PubRec = 5,
    /// QoS 2 release.
    PubRel = 6,
    /// QoS 2 done.
    PubComp = 7,
}

/// An acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Which.
    pub kind: AckKind,
    /// Of which packet.
    pub pkid: u16,
    /// Reason code; 0 when left out.
    pub reason: u8,
}

/// When a subscription gets retained messages (section 3.8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetainHandling {
    /// At every subscribe.
    #[default]
    Always,
    /// Only when the subscription is new.
    IfNew,
    /// Never.
    Never,
}

/// One filter in a SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubRequest {
    /// As sent, with `$share/...` if any.
    pub filter: String,
    /// Maximum QoS.
    pub qos: QoS,
    /// Do not echo the client's own messages.
    pub no_local: bool,
    /// Keep the retain flag of forwarded messages.
    pub retain_as_published: bool,
    /// Retain handling.
    pub retain_handling: RetainHandling,
}

/// SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// Packet id.
    pub pkid: u16,
    /// Subscription identifier.
    pub id: Option<u32>,
    /// MQTT 5 only.
    pub user: UserProperties,
    /// At least one.
    pub filters: Vec<SubRequest>,
}

/// UNSUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// Packet id.
    pub pkid: u16,
    /// At least one.
    pub filters: Vec<String>,
}

/// DISCONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disconnect {
    /// Reason code; 4 asks for the will.
    pub reason: u8,
    /// A new session expiry in seconds.
    pub session_expiry: Option<u32>,
}

impl Connect {
    /// A CONNECT with no will, no user and no limits of its own: a clean session without keep alive.
    pub fn new(version: Version, client_id: impl Into<String>) -> Self {
        Self {
            version,
            clean_start: true,
            keep_alive: 0,
            client_id: client_id.into(),
            session_expiry: 0,
            receive_maximum: u16::MAX,
            max_packet: u32::MAX,
            topic_alias_max: 0,
            problem_info: true,
            response_info: false,
            auth_method: false,
            user: UserProperties::new(),
            will: None,
            username: None,
            password: None,
        }
    }
}

impl Publish {
    /// The topic as text.
    pub fn topic_str(&self) -> &str {
        // Checked when it was decoded.
        std::str::from_utf8(&self.topic).unwrap_or_default()
    }
}
