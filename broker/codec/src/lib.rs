//! MQTT on the wire, 3.1, 3.1.1 and 5 (OASIS MQTT 3.1.1 and 5.0): bytes to packets and back. Knows nothing of sessions.
//!
//! The root has a server's half: what clients send is decoded, what servers send is encoded. [`client`] has the other
//! half. PUBLISH and the acknowledgements are encoded by the same functions on both sides. What is decoded are slices of
//! the frame that was handed in, never copies: whoever keeps a message keeps its frame, and decides whether the frame is
//! a buffer of its own ([`client::decode_borrowed`] leaves the copies to its caller).
//!
//! ```
//! use bytes::BytesMut;
//! use flotilla_codec::{Packet, PublishOut, QoS, Version, decode, frame_len, publish};
//!
//! let mut buffer = BytesMut::new();
//! let message = PublishOut { qos: QoS::AtLeastOnce, pkid: 7, ..PublishOut::new(b"plant/1", b"21.5") };
//! publish(&mut buffer, Version::V5, &message);
//!
//! let (header, size) = frame_len(&buffer, 1 << 20)?.expect("a whole packet");
//! let Packet::Publish(message) = decode(buffer.split_to(size).freeze(), header, Version::V5)? else { panic!() };
//! assert_eq!((message.topic_str(), &message.payload[..]), ("plant/1", &b"21.5"[..]));
//! # Ok::<(), flotilla_codec::WireError>(())
//! ```

pub mod agreed;
pub mod client;
mod connect;
mod cursor;
mod decode;
mod encode;
mod error;
mod forwarded;
mod packet;
mod primitives;
mod properties;
#[cfg(test)]
mod round_trips;
mod why;

pub use connect::decode_connect;
pub use decode::{MAX_LEVELS, decode, frame_len, packet_len};
pub use encode::{ConnAck, PublishOut, ack, connack, disconnect, pingresp, publish, suback, unsuback};
pub use error::{Reason, WireError};
pub use forwarded::{Forwarded, forwarded, put_forwarded};
pub use packet::{
    Ack, AckKind, Connect, Disconnect, Packet, Publish, QoS, RetainHandling, SubRequest, Subscribe, Unsubscribe,
    UserProperties, Version, Will,
};
pub use why::Why;
