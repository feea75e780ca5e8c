//! What a group asks of the hosts that its replicas run on.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::server_group::PlacedMember;

/// What a group asks of the hosts that its replicas run on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacementSpec {
    /// The server group that its replicas are members of. Set when the group is made; later by `flotilla server-group add`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_group: Option<String>,
    /// Labels that a host must have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// `POST /api/v1/placement/check`: where so many more replicas of a group would be placed. The group need not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacementCheck {
    /// The group.
    pub group: String,
    /// How many replicas it is to have in all; 0: as many as it is to have now.
    #[serde(default)]
    pub replicas: u16,
    /// What it asks for; what it has when nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<PlacementSpec>,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proposed {
    /// The members that are placed already.
    pub placed: usize,
    /// The hosts of the further ones, in order.
    pub hosts: Vec<String>,
}

/// `GET /api/v1/groups/{group}/placement`: where a group's members are placed and what is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlacementSummary {
    /// Where the members are.
    pub members: Vec<PlacedMember>,
    /// What does not hold or is waited for.
    pub notes: Vec<String>,
}

impl PlacementSpec {
    /// True when nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == PlacementSpec::default()
    }
}
