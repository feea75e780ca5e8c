//! A client's half: what clients send is encoded, what servers send is decoded.
//!
//! PUBLISH and the acknowledgements are encoded by [`crate::publish`] and [`crate::ack`].

mod decode;
mod encode;
mod owed;
mod packet;

pub use decode::{decode, decode_borrowed};
pub use encode::{connect, disconnect, pingreq, subscribe, unsubscribe};
pub use owed::Owed;
pub use packet::{Answer, Borrowed, ConnAck, Incoming, Received};
