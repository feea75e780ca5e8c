//! Groups as their users describe them, and as the API shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alert::AlertRules;
use crate::placement::PlacementSpec;
use crate::rollout::Rules;

/// A group as its users describe it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    /// The name: 1 to 64 of a-z A-Z 0-9 . _ -
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// How many replicas a supervisor (`flotilla up`) keeps running; 0: as many as are started by hand.
    #[serde(default)]
    pub replicas: u16,
    /// The rules of its rollouts, where a deploy says nothing else.
    #[serde(default)]
    pub rollout: Rules,
    /// Only its owners deploy to it: a deployer may not.
    #[serde(default)]
    pub protected: bool,
    /// It takes flows from this pipeline only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_by: Option<String>,
    /// What it asks of the hosts that its replicas run on.
    #[serde(default, skip_serializing_if = "PlacementSpec::is_empty")]
    pub placement: PlacementSpec,
    /// When alerts are raised, and where they are sent.
    #[serde(default)]
    pub alerts: AlertRules,
}

impl GroupSpec {
    /// A group with a name and nothing else.
    pub fn named(name: &str) -> GroupSpec {
        GroupSpec {
            name: name.to_owned(),
            description: String::new(),
            replicas: 0,
            rollout: Rules::default(),
            protected: false,
            protected_by: None,
            placement: PlacementSpec::default(),
            alerts: AlertRules::default(),
        }
    }
}

/// A group as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupStatus {
    /// The name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// How many replicas a supervisor keeps running; 0: as many as are started by hand.
    #[serde(default)]
    pub replicas: u16,
    /// The rules of its rollouts.
    #[serde(default)]
    pub rollout: Rules,
    /// Only its owners deploy to it.
    #[serde(default)]
    pub protected: bool,
    /// It takes flows from this pipeline only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_by: Option<String>,
    /// How it stands to the pipeline that it is a stage of; empty when it is of none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub drift: String,
    /// What it asks of the hosts that its replicas run on.
    #[serde(default, skip_serializing_if = "PlacementSpec::is_empty")]
    pub placement: PlacementSpec,
    /// When alerts are raised, and where they are sent.
    #[serde(default)]
    pub alerts: AlertRules,
    /// The good revision.
    pub revision: Option<String>,
    /// It is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Living replicas.
    pub living: usize,
    /// Those that take work.
    pub ready: usize,
}

/// A group is paused: its sources have stopped, and brokers keep what comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pause {
    /// Since when, in ms since 1970 on the store's clock.
    pub since_ms: u64,
    /// Who paused it.
    pub actor: String,
    /// Why.
    #[serde(default)]
    pub why: String,
}

/// `POST /api/v1/groups/{group}/pause` and `.../resume`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PauseChange {
    /// Why.
    pub why: String,
}

/// `PUT /api/v1/groups/{group}/scale`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// How many replicas are to run: 1 to 64 under `flotilla up`, to 10,000 on hosts with agents.
    pub replicas: u16,
    /// Sent by clients of 0.1.0 and ignored: who it was is known from the credential.
    #[serde(default, skip_serializing)]
    pub actor: String,
}

/// What the removal of a group ended at MQTT brokers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRemoved {
    /// The MQTT sessions that its replicas had left at brokers, which would go on to queue messages there.
    pub sessions: Vec<SessionEnd>,
}

/// What became of an MQTT session that no replica goes on with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionEnd {
    /// Its ClientID.
    pub client_id: String,
    /// The broker's URL, without user and password.
    pub broker: String,
    /// Why it is still there; none when it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
