//! Names that fit into keys, and what keys tell.

use super::hosts::HOST_BEATS;
use crate::error::GroupError;

/// Refuses names that would not fit into a key, a share name or a file name.
pub(crate) fn check(what: &'static str, name: &str) -> Result<(), GroupError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(GroupError::BadName { what, value: name.to_owned() })
}

/// What the keys of a group's shared context begin with; `SCOPE/KEY` follows.
pub fn context_prefix(group: &str) -> String {
    format!("context/{group}/")
}

/// Set when context that Node-RED kept in files was imported into the group's.
pub fn context_imported(group: &str) -> String {
    format!("context-imported/{group}")
}

/// True for what a running process keeps of itself: it writes it anew when it starts, and it says nothing to others.
pub fn is_of_a_process(key: &str) -> bool {
    let of_group = || key.strip_prefix("group/")?.split_once('/').map(|(_, rest)| rest);
    key.starts_with("spare/")
        || key.starts_with(HOST_BEATS)
        || of_group().is_some_and(|rest| {
            ["replica/", "gateway/", "relay/"].iter().any(|start| rest.starts_with(start))
                || rest == "consumers"
                // Of 0.1.0, which kept there that somebody starts and stops the group's replicas.
                || rest == "supervisor"
        })
}

#[cfg(test)]
mod tests {
    use super::super::*;

    #[test]
    fn what_a_process_keeps_of_itself_is_told_from_what_lasts() {
        let supervisor = "group/g/supervisor".to_owned();
        let own = [member("g", "r"), member("", "r"), gateway("g", "x"), consumers("g"), supervisor, agent_beat("h")];
        for key in own {
            assert!(is_of_a_process(&key), "{key}");
        }
        let lasting =
            [desired("g"), secrets("g"), spec("g"), session("g", "c"), context_prefix("g") + "global/a", agent("h")];
        for key in lasting {
            assert!(!is_of_a_process(&key), "{key}");
        }
    }
}
