//! HTTP/1.1 requests that are checked byte for byte before a server reads them (RFC 9110, RFC 9112).
//!
//! hyper is lenient where a proxy must not be: it takes bare LF, several Hosts and lists of transfer codings, and whoever
//! stands behind it may read the same bytes in another way. [`Checked`] stands between the socket and hyper, in the gateway
//! and in the replicas, and hands on only what everybody reads alike. [`Alarm`] is the one timer of a connection. [`Answers`] lets a
//! client of hyper read answers with more header lines than hyper takes.

mod alarm;
mod answers;
mod checked;
mod chunks;
mod gather;
mod head;
mod host;
mod long;
mod refusal;
mod scan;
mod switch;
#[cfg(test)]
mod tests;

pub use alarm::{Alarm, Due};
pub use answers::{Answers, Shortened};
pub use checked::Checked;
pub use refusal::{Refusal, refusal};
pub use switch::Switch;
