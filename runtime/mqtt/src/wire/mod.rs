//! MQTT's packets as bytes, for a client: 3.1, 3.1.1 and 5 (OASIS MQTT 3.1.1 and 5.0).
//!
//! Our own: the published codecs have no level 3 (Node-RED's compat mode), one set of types per version, and message
//! payloads that pin the read buffer or are copied twice. This is the client's half only, so it is small.

mod decode;
mod encode;
mod packet;
mod primitives;
mod properties;
#[cfg(test)]
mod tests;

pub use decode::{Decoded, decode};
pub use encode::{
    ConnectPacket, SubscribeFilter, Will, ack, connect, disconnect, pingreq, publish, publish_size, subscribe,
    unsubscribe,
};
pub use packet::{Ack, AckKind, ConnAck, Incoming, Publish, PublishProps, Qos, SubAck, Version};
