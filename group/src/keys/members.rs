//! A group's replicas and gateways, their sessions at brokers, and who has which role.

/// All replicas of a group; without a name those in no group.
pub(crate) fn members(group: &str) -> String {
    if group.is_empty() { "spare/".to_owned() } else { format!("group/{group}/replica/") }
}

/// A replica's record.
pub(crate) fn member(group: &str, id: &str) -> String {
    members(group) + id
}

/// What users said of replicas' groups.
pub(crate) const MEMBERSHIPS: &str = "membership/";

/// In which group a replica is to be, when users said so.
pub(crate) fn membership(id: &str) -> String {
    format!("{MEMBERSHIPS}{id}")
}

/// The lease on a replica's id: one for all groups, because ids are unique.
pub(crate) fn member_lease(id: &str) -> String {
    format!("replica/{id}")
}

const ADOPTER: &str = "adopter ";

/// The holder of a dead replica's id while a survivor finishes its sessions.
pub(crate) fn adopter(process: &str) -> String {
    format!("{ADOPTER}{process}")
}

/// True for a holder that is such a survivor.
pub(crate) fn is_adopter(holder: &str) -> bool {
    holder.starts_with(ADOPTER)
}

const LEFT: &str = "left-";

/// In place of a replica's id in the record of a session that was left behind on purpose: nobody holds this id.
pub(crate) fn left_behind(client_id: &str) -> String {
    format!("{LEFT}{client_id}")
}

/// True for the record of a session that was left behind on purpose.
pub(crate) fn is_left_behind(id: &str) -> bool {
    id.starts_with(LEFT)
}

/// Says that the sessions of a dead replica were taken over: its id is not to be used again.
pub(crate) fn taken_over(id: &str) -> String {
    format!("taken-over/{id}")
}

/// All sessions at brokers that a group's replicas have.
pub(crate) fn sessions(group: &str) -> String {
    format!("group/{group}/session/")
}

/// A session at a broker.
pub(crate) fn session(group: &str, client_id: &str) -> String {
    format!("group/{group}/session/{client_id}")
}

/// Says that a removed group may have sessions at brokers which nobody has ended.
pub(crate) fn sessions_owed(group: &str) -> String {
    format!("group/{group}/sessions-owed")
}

/// The marks of processes that end the sessions of a group.
pub(crate) fn endings(group: &str) -> String {
    format!("group/{group}/ending/")
}

/// The mark of one of them.
pub(crate) fn ending(group: &str, by: &str) -> String {
    endings(group) + by
}

/// The replicas that consume for a group.
pub(crate) fn consumers(group: &str) -> String {
    format!("group/{group}/consumers")
}

/// All gateways of a group.
pub(crate) fn gateways(group: &str) -> String {
    format!("group/{group}/gateway/")
}

/// To which replicas a gateway routes.
pub(crate) fn gateway(group: &str, id: &str) -> String {
    format!("group/{group}/gateway/{id}")
}

/// What gateways show to the group's replicas.
pub(crate) fn control(group: &str) -> String {
    format!("group/{group}/control")
}

/// The lease on a role that one replica of a group has at a time.
pub(crate) fn role(group: &str, role: &str) -> String {
    format!("role/{group}/{role}")
}
