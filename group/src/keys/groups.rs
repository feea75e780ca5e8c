//! What a group is and runs: its size, revisions, rollout, snapshots, secrets, timers, alerts.

/// The keys of groups that are replaced, or were; the fingerprint of the old key follows.
pub(crate) const KEY_NEXT: &str = "key-next/";

/// What comes after a key of groups.
pub(crate) fn key_next(fingerprint: &str) -> String {
    format!("{KEY_NEXT}{fingerprint}")
}

/// All groups.
pub(crate) const GROUPS: &str = "groups/";

/// What a group is: its name, description, size.
pub(crate) fn spec(group: &str) -> String {
    format!("{GROUPS}{group}")
}

/// What the group is to run, and the rollout to it.
pub(crate) fn desired(group: &str) -> String {
    format!("group/{group}/course")
}

/// Since when the group knows of a transfer from another installation.
pub(crate) fn transfer(group: &str, digest: &str) -> String {
    format!("group/{group}/transfer/{digest}")
}

/// The alerts of a group.
pub(crate) fn alerts(group: &str) -> String {
    format!("group/{group}/alerts")
}

/// The lease on raising them.
pub(crate) fn alert_lease(group: &str) -> String {
    format!("alerts/{group}")
}

/// The group's secrets, sealed.
pub(crate) fn secrets(group: &str) -> String {
    format!("group/{group}/secrets")
}

/// The tests that belong to a revision.
pub(crate) fn revision_tests(id: &str) -> String {
    format!("revision-tests/{id}")
}

/// All snapshots of a group.
pub(crate) fn snapshots(group: &str) -> String {
    format!("group/{group}/snapshot/")
}

/// A snapshot.
pub(crate) fn snapshot(group: &str, id: u64) -> String {
    format!("group/{group}/snapshot/{id:012}")
}

/// The snapshot that is to be made once for something.
pub(crate) fn snapshot_once(group: &str, digest: &str) -> String {
    format!("group/{group}/snapshot-once/{digest}")
}

/// How many snapshots a group ever had.
pub(crate) fn snapshot_count(group: &str) -> String {
    format!("group/{group}/snapshot-count")
}

/// The lease on moving the group's replicas.
pub(crate) fn upgrade_lease(group: &str) -> String {
    format!("upgrade/{group}")
}

/// All revisions.
pub(crate) const REVISIONS: &str = "revision/";

/// A revision.
pub(crate) fn revision(id: &str) -> String {
    format!("{REVISIONS}{id}")
}

/// The revisions that a group was given.
pub(crate) fn history(group: &str) -> String {
    format!("group/{group}/revision/")
}

/// Who gave a revision to the group, when and why.
pub(crate) fn given(group: &str, id: &str) -> String {
    format!("group/{group}/revision/{id}")
}

/// By how much the group's steady clock is ahead of the store's.
pub(crate) fn clock(group: &str) -> String {
    format!("group/{group}/clock")
}

/// The ticks of a node that fired.
pub(crate) fn tick(group: &str, node: &str) -> String {
    format!("group/{group}/tick/{node}")
}
