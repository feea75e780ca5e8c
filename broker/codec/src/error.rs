//! Reason codes, and why bytes are refused.

use thiserror::Error;

/// An MQTT 5 reason code (section 2.4), as sent in acknowledgements and DISCONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are the specification's")]
pub enum Reason {
    Success = 0x00,
    NoMatchingSubscribers = 0x10,
    NoSubscriptionExisted = 0x11,
    Unspecified = 0x80,
    Malformed = 0x81,
    ProtocolError = 0x82,
    UnsupportedVersion = 0x84,
    ClientIdNotValid = 0x85,
    BadUserNameOrPassword = 0x86,
    NotAuthorized = 0x87,
    ServerUnavailable = 0x88,
    ServerShuttingDown = 0x8B,
    BadAuthenticationMethod = 0x8C,
    KeepAliveTimeout = 0x8D,
    SessionTakenOver = 0x8E,
    TopicFilterInvalid = 0x8F,
    TopicNameInvalid = 0x90,
    PacketIdInUse = 0x91,
    PacketIdNotFound = 0x92,
    ReceiveMaximumExceeded = 0x93,
    TopicAliasInvalid = 0x94,
    PacketTooLarge = 0x95,
    QuotaExceeded = 0x97,
    AdministrativeAction = 0x98,
    RetainNotSupported = 0x9A,
}

impl Reason {
    /// For people: the reason string where nothing closer is known. None for what is no refusal.
    pub fn text(self) -> &'static str {
        match self {
            Self::Success | Self::NoMatchingSubscribers | Self::NoSubscriptionExisted | Self::Unspecified => "",
            Self::Malformed => "the packet is malformed",
            Self::ProtocolError => "the packet is not allowed here",
            Self::UnsupportedVersion => "use MQTT 3.1.1 or 5",
            Self::ClientIdNotValid => "the ClientID is not valid",
            Self::BadUserNameOrPassword => "user name or password is wrong",
            Self::NotAuthorized => "not allowed for this client",
            Self::ServerUnavailable => "the broker takes no more connections now: try again later",
            Self::ServerShuttingDown => "the broker stops",
            Self::BadAuthenticationMethod => "enhanced authentication is not supported",
            Self::KeepAliveTimeout => "nothing came for one and a half times the keep alive",
            Self::SessionTakenOver => "another connection uses this ClientID",
            Self::TopicFilterInvalid => "the topic filter is not valid",
            Self::TopicNameInvalid => "the topic name is not valid",
            Self::PacketIdInUse => "the packet identifier is in use",
            Self::PacketIdNotFound => "the packet identifier is not in use",
            Self::ReceiveMaximumExceeded => "more publishes at once than the receive maximum",
            Self::TopicAliasInvalid => "the topic alias is 0 or above the topic alias maximum",
            Self::PacketTooLarge => "the packet is larger than the maximum packet size",
            Self::RetainNotSupported => "the broker retains no messages (max-retained is 0)",
            Self::AdministrativeAction => "what this client publishes is made anew by another",
            Self::QuotaExceeded => "a limit of the broker is reached: try again later",
        }
    }
}

/// Why bytes from the network were refused; the connection ends with [`WireError::reason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WireError {
    /// The bytes do not follow the packet format.
    #[error("malformed packet: {0}")]
    Malformed(&'static str),
    /// The packet is well formed but not allowed here.
    #[error("protocol error: {0}")]
    Protocol(&'static str),
    /// Remaining length beyond the limit told in CONNACK.
    #[error("packet of {size} bytes is over the limit of {limit} bytes")]
    TooLarge {
        /// Bytes of the whole packet.
        size: usize,
        /// The limit in force.
        limit: usize,
    },
    /// A topic name with wildcards or no characters.
    #[error("topic name is not valid: {0}")]
    TopicName(&'static str),
    /// The CONNECT asks for a protocol level other than 4 or 5.
    #[error("protocol level {0} is not supported: use MQTT 3.1.1 (4) or 5")]
    Version(u8),
}

impl WireError {
    /// The reason code for the DISCONNECT (or CONNACK) that answers this.
    pub fn reason(self) -> Reason {
        match self {
            Self::Malformed(_) => Reason::Malformed,
            Self::Protocol(_) => Reason::ProtocolError,
            Self::TooLarge { .. } => Reason::PacketTooLarge,
            Self::TopicName(_) => Reason::TopicNameInvalid,
            Self::Version(_) => Reason::UnsupportedVersion,
        }
    }
}
