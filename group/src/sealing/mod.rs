//! The group's key: what is sealed with it, and how a process learns of another one.

mod handover;
mod keys;
mod ring;

pub(crate) use handover::Handover;
pub(crate) use keys::each;
pub use keys::{fingerprint, newest, open, seal};
pub use ring::{KeyRing, Restart};
