//! MQTT on the wire, 3.1.1 and 5: bytes to packets and back. Knows nothing of sessions.

mod connect;
mod cursor;
mod decode;
mod encode;
mod error;
mod packet;
mod properties;
mod why;

pub use connect::decode_connect;
pub use decode::{MAX_LEVELS, decode, frame_len};
pub use encode::{ConnAck, PublishOut, ack, connack, disconnect, pingresp, publish, suback, unsuback};
pub use error::{Reason, WireError};
pub use packet::{
    Ack, AckKind, Connect, Disconnect, Packet, Publish, QoS, RetainHandling, SubRequest, Subscribe, Unsubscribe,
    Version, Will,
};
pub use why::Why;
