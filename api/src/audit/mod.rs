//! The audit log.

mod chain;
mod entry;

pub use chain::{AuditChain, Checkpoint, Sealed, Signature};
pub use entry::{AuditEntry, AuditFilter, Origin};
