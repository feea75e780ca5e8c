//! HTTP/1.1 requests that are checked byte for byte before a server reads them (RFC 9110, RFC 9112).
//!
//! hyper is lenient where a proxy must not be: it takes bare LF, several Hosts and lists of transfer codings, and whoever
//! stands behind it may read the same bytes in another way. [`Checked`] stands between the socket and hyper, in the gateway
//! and in the replicas, and hands on only what everybody reads alike.

mod checked;
mod chunks;
mod head;
mod host;
mod refusal;
mod switch;
#[cfg(test)]
mod tests;

pub use checked::Checked;
pub use refusal::{Refusal, refusal};
pub use switch::Switch;
