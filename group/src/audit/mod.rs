//! What was changed, when, by whom and why.

mod log;

pub use flotilla_api::audit::AuditEntry;
pub use log::AuditLog;
pub(crate) use log::serial;
