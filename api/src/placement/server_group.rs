//! Server groups, in OpenStack's words.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the members of a server group are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// All in one domain; else not at all.
    Affinity,
    /// At most `max_server_per_host` (1 unless said) in a domain; else not at all.
    AntiAffinity,
    /// In as few domains as there is room.
    SoftAffinity,
    /// In as many domains as there is room.
    SoftAntiAffinity,
}

/// What a policy counts by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Domain {
    /// Hosts.
    #[default]
    Host,
    /// Racks (`flotilla agent --rack`).
    Rack,
    /// Zones (`flotilla agent --zone`).
    Zone,
}

/// The rules of a server group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerGroupRules {
    /// Members in a domain at most, with anti-affinity.
    #[serde(default, alias = "max_replica_per_host", skip_serializing_if = "Option::is_none")]
    pub max_server_per_host: Option<u32>,
}

/// A server group as its users describe it. It does not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerGroupSpec {
    /// The name: 1 to 64 of a-z A-Z 0-9 . _ -
    pub name: String,
    /// Where its members are to be.
    pub policy: Policy,
    /// How strict that is.
    #[serde(default)]
    pub rules: ServerGroupRules,
    /// What the policy counts by.
    #[serde(default)]
    pub domain: Domain,
}

/// A server group as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerGroupStatus {
    /// The name.
    pub name: String,
    /// Where its members are to be.
    pub policy: Policy,
    /// How strict that is.
    pub rules: ServerGroupRules,
    /// What the policy counts by.
    pub domain: Domain,
    /// The groups whose replicas are its members.
    pub groups: Vec<String>,
    /// Where its members are.
    pub members: Vec<PlacedMember>,
    /// Where the policy does not hold, and why; empty: it holds.
    pub violated: Vec<String>,
}

/// A member with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlacedMember {
    /// `GROUP-NUMBER`: what the replica's id begins with.
    pub member: String,
    /// The group.
    pub group: String,
    /// The host.
    pub host: String,
    /// False for one that was there before its group was put into the server group: the policy does not hold for it.
    pub bound: bool,
    /// It drains and leaves.
    #[serde(default, skip_serializing_if = "crate::omit::is_default")]
    pub leaving: bool,
    /// The member whose place it takes, once it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// `POST /api/v1/server-groups/{name}/groups`: puts a group that exists into a server group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerGroupJoin {
    /// The group.
    pub group: String,
    /// Only say what would move.
    #[serde(default)]
    pub plan: bool,
    /// Members that are there already are moved as the policy asks. Without it the policy holds for new ones only.
    #[serde(default, rename = "move")]
    pub move_members: bool,
}

/// What a group's way into a server group does to the members that it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    /// The moves that the policy asks for, in order. They are made one at a time.
    pub moves: Vec<Move>,
    /// Why no more can be moved, when some have no place.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub no_room: String,
    /// It was only planned.
    pub planned: bool,
}

/// One move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Move {
    /// The member.
    pub member: String,
    /// The host that it is on.
    pub from: String,
    /// The host that its replacement is started on.
    pub to: String,
}

impl Domain {
    /// The word for people: "1 per host".
    pub fn word(self) -> &'static str {
        match self {
            Domain::Host => "host",
            Domain::Rack => "rack",
            Domain::Zone => "zone",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Policy::Affinity => "affinity",
            Policy::AntiAffinity => "anti-affinity",
            Policy::SoftAffinity => "soft-affinity",
            Policy::SoftAntiAffinity => "soft-anti-affinity",
        })
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
