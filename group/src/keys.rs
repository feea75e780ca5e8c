//! Where things are in the store.

use crate::error::GroupError;

/// Refuses names that would not fit into a key, a share name or a file name.
pub(crate) fn check(what: &'static str, name: &str) -> Result<(), GroupError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(GroupError::BadName { what, value: name.to_owned() })
}

/// All replicas of a group.
pub(crate) fn members(group: &str) -> String {
    format!("group/{group}/replica/")
}

/// A replica's record.
pub(crate) fn member(group: &str, id: &str) -> String {
    format!("group/{group}/replica/{id}")
}

/// The lease on a replica's id: one for all groups, because ids are unique.
pub(crate) fn member_lease(id: &str) -> String {
    format!("replica/{id}")
}

/// The revision that a group is to run.
pub(crate) fn desired(group: &str) -> String {
    format!("group/{group}/desired")
}

/// A revision.
pub(crate) fn revision(id: &str) -> String {
    format!("revision/{id}")
}

/// The last tick of a node that fired.
pub(crate) fn tick(group: &str, node: &str) -> String {
    format!("group/{group}/tick/{node}")
}
