//! What was changed, when, by whom and why.

mod entry;
mod log;

pub use entry::AuditEntry;
pub use log::AuditLog;
