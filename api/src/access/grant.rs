//! A role, and for which group somebody has it: `admin`, `owner:GROUP`, `deployer:GROUP`, `viewer[:GROUP]`,
//! `endpoint[:GROUP]`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What somebody is to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May do everything, in all groups.
    Admin,
    /// May do everything to its group, but add replicas and hosts of others.
    Owner,
    /// May deploy to its group, unless that is protected.
    Deployer,
    /// May look.
    Viewer,
    /// May call the HTTP endpoints of flows, and nothing else.
    Endpoint,
}

/// A role in a group; without a group in all of them. Its text is `ROLE` or `ROLE:GROUP`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// The group; `None`: all.
    pub group: Option<String>,
}

/// A text that is no grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "role \"{text}\" {reason}; write admin, owner:GROUP, deployer:GROUP, viewer, viewer:GROUP, endpoint or endpoint:GROUP"
)]
pub struct BadGrant {
    text: String,
    reason: &'static str,
}

impl Role {
    /// All roles, the most powerful first.
    pub const ALL: [Role; 5] = [Role::Admin, Role::Owner, Role::Deployer, Role::Viewer, Role::Endpoint];

    /// Its name, as users write it.
    pub fn word(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Owner => "owner",
            Role::Deployer => "deployer",
            Role::Viewer => "viewer",
            Role::Endpoint => "endpoint",
        }
    }
}

impl Grant {
    /// The administrator's.
    pub const ADMIN: Grant = Grant { role: Role::Admin, group: None };

    /// A role in one group.
    pub fn of(role: Role, group: &str) -> Grant {
        Grant { role, group: Some(group.to_owned()) }
    }

    /// Whether it is about this group.
    pub fn covers(&self, group: &str) -> bool {
        self.group.as_ref().is_none_or(|own| own == group)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            Some(group) => write!(f, "{}:{group}", self.role.word()),
            None => f.write_str(self.role.word()),
        }
    }
}

impl FromStr for Grant {
    type Err = BadGrant;

    fn from_str(text: &str) -> Result<Grant, BadGrant> {
        let bad = |reason| BadGrant { text: text.to_owned(), reason };
        let (word, group) = match text.split_once(':') {
            Some((word, group)) => (word, Some(group)),
            None => (text, None),
        };
        let role = Role::ALL.into_iter().find(|role| role.word() == word).ok_or_else(|| bad("is not known"))?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if group.is_some_and(|group| !(1..=64).contains(&group.len()) || !group.chars().all(fits)) {
            return Err(bad("names no group"));
        }
        match (role, group) {
            (Role::Admin, Some(_)) => Err(bad("has a group, but an admin has all")),
            (Role::Owner | Role::Deployer, None) => Err(bad("lacks its group")),
            _ => Ok(Grant { role, group: group.map(str::to_owned) }),
        }
    }
}

impl From<Grant> for String {
    fn from(grant: Grant) -> String {
        grant.to_string()
    }
}

impl TryFrom<String> for Grant {
    type Error = BadGrant;

    fn try_from(text: String) -> Result<Grant, BadGrant> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_read_as_it_is_written() {
        for text in ["admin", "owner:g-1", "deployer:a.b", "viewer", "viewer:g", "endpoint", "endpoint:g"] {
            assert_eq!(text.parse::<Grant>().unwrap().to_string(), text);
        }
        for bad in ["", "Admin", "root", "admin:g", "owner", "deployer", "viewer:", "viewer:a b", "viewer:a:b"] {
            let error = bad.parse::<Grant>().unwrap_err().to_string();
            assert!(error.contains(&format!("\"{bad}\"")) && error.contains("owner:GROUP"), "{error}");
        }
    }

    #[test]
    fn a_grant_covers_its_group_or_all() {
        assert!(Grant::of(Role::Owner, "a").covers("a") && !Grant::of(Role::Owner, "a").covers("b"));
        assert!(Grant::ADMIN.covers("a"));
    }
}
