//! Messages that wait, failed, or go from one replica to the others.

/// What the processes of a group's replicas tell each other at once.
pub(crate) fn relay(group: &str) -> String {
    format!("group/{group}/relay/")
}

/// Says that a process listens to the others.
pub(crate) fn listens(group: &str, process: &str) -> String {
    format!("group/{group}/relay/here/{process}")
}

/// True for the keys of [`listens`].
pub(crate) fn is_listener(group: &str, key: &str) -> bool {
    key.strip_prefix(&relay(group)).is_some_and(|rest| rest.starts_with("here/"))
}

/// The message with this number that a process said.
pub(crate) fn said(group: &str, process: &str, number: u64) -> String {
    format!("group/{group}/relay/said/{process}/{number:020}")
}

/// Process and number of a key of [`said`].
pub(crate) fn said_by<'a>(group: &str, key: &'a str) -> Option<(&'a str, u64)> {
    let (process, number) = key.strip_prefix(&relay(group))?.strip_prefix("said/")?.split_once('/')?;
    Some((process, number.parse().ok()?))
}

/// Which deliveries of a group are recorded.
pub(crate) fn trail_rule(group: &str) -> String {
    format!("group/{group}/trail-rule")
}

/// The heads of a group's dead letters.
pub(crate) fn dead_letters(group: &str) -> String {
    format!("group/{group}/deadletter/")
}

/// The head of the dead letter in this place.
pub(crate) fn dead_letter(group: &str, place: u64) -> String {
    format!("group/{group}/deadletter/{place:04}")
}

/// The contents of a group's dead letters.
pub(crate) fn dead_letter_bodies(group: &str) -> String {
    format!("group/{group}/deadletter-body/")
}

/// The content of the dead letter in this place.
pub(crate) fn dead_letter_body(group: &str, place: u64) -> String {
    format!("group/{group}/deadletter-body/{place:04}")
}

/// How many dead letters a group ever had.
pub(crate) fn dead_letter_count(group: &str) -> String {
    format!("group/{group}/deadletter-count")
}

/// The dead letters that are to be run again.
pub(crate) fn replays(group: &str) -> String {
    format!("group/{group}/deadletter-replays")
}

/// A message that waits for its broker's acknowledgement.
pub(crate) fn outgoing(group: &str, id: &str) -> String {
    format!("group/{group}/outbox/{id}")
}

/// The subscriptions of an mqtt-broker node that have begun, where the broker does not know.
pub(crate) fn begun(group: &str, node: &str) -> String {
    format!("group/{group}/begun/{node}")
}

/// The dynamic subscriptions of a node.
pub(crate) fn dynamic(group: &str, node: &str) -> String {
    format!("group/{group}/dynamic/{node}")
}
