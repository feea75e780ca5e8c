//! Connections to servers: TCP, TLS, and why there is none, in the words that flows know from Node.js.

mod connect;
mod error;

pub(crate) use connect::{Stream, encrypt, keep_alive, tcp};
pub(crate) use error::NetError;
