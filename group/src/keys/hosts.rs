//! Hosts, the binaries that they run, and who is placed where.

/// Who is placed where.
pub(crate) const PLACEMENT: &str = "placement";

/// The lease on placing and moving members.
pub(crate) const PLACEMENT_LEASE: &str = "placement";

/// All binaries of Flotilla that agents may run.
pub(crate) const BINARIES: &str = "binary/";

/// A binary.
pub(crate) fn binary(sha256: &str) -> String {
    format!("{BINARIES}{sha256}")
}

/// The chunks of a binary.
pub(crate) fn binary_chunks(sha256: &str) -> String {
    format!("binary-chunk/{sha256}/")
}

/// A chunk of a binary.
pub(crate) fn binary_chunk(sha256: &str, index: u32) -> String {
    format!("{}{index:06}", binary_chunks(sha256))
}

/// What agents say of their hosts when they start.
pub(crate) const HOSTS: &str = "agent/";

/// A host; also the name of the lease on it.
pub(crate) fn agent(name: &str) -> String {
    format!("{HOSTS}{name}")
}

/// Signs of life of hosts.
pub(crate) const HOST_BEATS: &str = "agent-beat/";

/// A host's last sign of life.
pub(crate) fn agent_beat(name: &str) -> String {
    format!("{HOST_BEATS}{name}")
}
