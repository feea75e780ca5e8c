//! TLS of the gateway's addresses.

mod files;
mod listener;

pub use files::{Pem, Tls, TlsError, TlsFiles};
pub(crate) use listener::{Doors, Peer};
