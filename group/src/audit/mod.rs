//! What was changed, when, by whom and why: a chain of hashes, signed now and then.

mod log;
mod signer;
#[cfg(test)]
mod tampering;
mod verify;

pub use flotilla_api::audit::AuditEntry;
pub use log::AuditLog;
pub(crate) use log::{KEPT, serial};
pub use signer::Signer;
pub(crate) use verify::entry;
pub use verify::{Known, Verdict, Wrong, verify};
