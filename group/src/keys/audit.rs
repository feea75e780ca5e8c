//! The audit logs.

/// The audit entries that are about no group.
pub(crate) const SYSTEM_AUDITS: &str = "audit/";

/// What belongs to the audit log of a group; without a name to that of what concerns none.
fn of_audit(group: &str, what: &str) -> String {
    if group.is_empty() { format!("audit-{what}") } else { format!("group/{group}/audit-{what}") }
}

/// The end of an audit log.
pub(crate) fn audit_head(group: &str) -> String {
    of_audit(group, "head")
}

/// All entries of an audit log's chain.
pub(crate) fn audit_all_sealed(group: &str) -> String {
    of_audit(group, "entry/")
}

/// An entry of an audit log's chain, by its place.
pub(crate) fn audit_sealed(group: &str, seq: u64) -> String {
    format!("{}{seq:015}", audit_all_sealed(group))
}

/// All checkpoints of an audit log.
pub(crate) fn audit_checkpoints(group: &str) -> String {
    of_audit(group, "checkpoint/")
}

/// The checkpoint of an audit log in a place.
pub(crate) fn audit_checkpoint(group: &str, seq: u64) -> String {
    format!("{}{seq:015}", audit_checkpoints(group))
}

/// All audit entries of a group as versions before the chain wrote them; without a name those about no group.
pub(crate) fn audits(group: &str) -> String {
    if group.is_empty() { SYSTEM_AUDITS.to_owned() } else { format!("group/{group}/audit/") }
}

/// An audit entry: sorted by time.
pub(crate) fn audit(group: &str, time_ms: u64, serial: &str) -> String {
    format!("{}{time_ms:015}-{serial}", audits(group))
}
