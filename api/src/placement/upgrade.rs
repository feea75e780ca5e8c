//! Rolling upgrades of the binary that agents and replicas run.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rollout::{Phase, Rollout, Rules, Step};

/// Bytes of a binary in a chunk, before it is deflated: what a NATS server with its usual 1 MiB takes.
pub const CHUNK: usize = 512 * 1024;
/// The largest binary, in bytes.
pub const LARGEST_BINARY: u64 = 1 << 30;

/// `POST /api/v1/binaries`: announces a binary; its chunks follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBinary {
    /// SHA-256 of the file, 64 hex digits.
    pub sha256: String,
    /// Its size in bytes, 1 GiB at most.
    pub size: u64,
}

/// `PUT /api/v1/binaries/{sha256}/chunks/{index}`: the next 512 KiB of the file, fewer in the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BinaryChunk {
    /// The bytes, deflated (RFC 1951), in base64.
    pub data: String,
}

/// A binary in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Binary {
    /// SHA-256 of the file.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// How many chunks it has.
    pub chunks: u32,
    /// All chunks are there and fit the hash.
    pub complete: bool,
}

/// `POST /api/v1/upgrade`: begins an upgrade.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUpgrade {
    /// The binary; empty: the one that each machine has installed.
    #[serde(default)]
    pub sha256: String,
    /// By which rules.
    #[serde(default)]
    pub rules: Rules,
}

/// `GET /api/v1/upgrade`: which binary runs, and the last upgrade.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UpgradeStatus {
    /// SHA-256 of the binary that agents and replicas run; empty: the one that each machine has installed.
    pub binary: String,
    /// The upgrade that runs, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upgrade: Option<Upgrade>,
    /// What is waited for.
    #[serde(default)]
    pub waits_for: Vec<String>,
}

/// A rolling upgrade: host by host, one replica at a time, then the agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Upgrade {
    /// Counts up with each upgrade.
    pub number: u64,
    /// SHA-256 of the binary before; empty: the one that each machine has installed.
    pub from: String,
    /// The new one.
    pub to: String,
    /// Where it is.
    pub phase: Phase,
    /// Its rules, the same as those of rollouts.
    pub rules: Rules,
    /// The hosts, in the order in which they are upgraded.
    pub hosts: Vec<HostUpgrade>,
    /// The hosts whose agent is to run the new binary.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub agents: BTreeSet<String>,
    /// What became of each replica, the last thousand.
    #[serde(default)]
    pub members: Vec<MemberUpgrade>,
    /// How many more have moved, before those.
    #[serde(default, skip_serializing_if = "crate::omit::is_default")]
    pub moved_before: u64,
    /// The replica that moves now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<Trial>,
    /// Why it was halted or cancelled.
    #[serde(default)]
    pub reason: String,
    /// Who began it.
    pub actor: String,
    /// When it began, on the store's clock.
    pub started_ms: u64,
    /// When it ended.
    #[serde(default)]
    pub ended_ms: Option<u64>,
}

/// How far a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostStep {
    /// Its turn has not come.
    Waiting,
    /// Its agent gets the binary and looks whether it starts.
    Staging,
    /// Its replicas move.
    Replicas,
    /// Its agent restarts itself.
    Agent,
    /// All of it runs the new binary.
    Done,
    /// The new binary failed there.
    Failed,
    /// It goes back.
    Returning,
    /// It is as before.
    Returned,
}

/// A host in an upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostUpgrade {
    /// The host.
    pub host: String,
    /// How far it is.
    pub step: HostStep,
    /// Since when, milliseconds of the store's clock.
    pub since_ms: u64,
    /// Why, when it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A replica in an upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MemberUpgrade {
    /// The replica that ran before.
    pub member: String,
    /// The one that takes its place.
    pub by: String,
    /// The host of both.
    pub host: String,
    /// How far it is.
    pub step: Step,
    /// Why, when it failed; when it moved, what is not proven.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A replica that takes the place of another with the other binary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// The group.
    pub group: String,
    /// The host of both.
    pub host: String,
    /// The member that runs before.
    pub old: u64,
    /// The one that takes its place.
    pub new: u64,
    /// When it was placed, milliseconds of the store's clock.
    pub since_ms: u64,
    /// Since when it has passed: the old one leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_ms: Option<u64>,
    /// Its probation, once the process is in the registry: from the binary `old` to `new`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probation: Option<Box<Rollout>>,
}

/// What an agent says of binaries with each sign of life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AgentBinary {
    /// SHA-256 of the binary that the agent runs; empty: the installed one.
    pub runs: String,
    /// Binaries that it has, and that start here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub staged: Vec<String>,
    /// A binary that cannot be used on this machine, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedBinary>,
}

/// A binary that cannot be used on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedBinary {
    /// Which.
    pub sha256: String,
    /// Why.
    pub why: String,
}

impl Upgrade {
    /// True while it is not over.
    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Forward | Phase::Returning)
    }
}

/// The name of a binary for people: the first digits of its hash.
pub fn binary_name(sha256: &str) -> &str {
    if sha256.is_empty() { "installed" } else { sha256.get(..12).unwrap_or(sha256) }
}

impl fmt::Display for HostStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            HostStep::Waiting => "waiting",
            HostStep::Staging => "gets it",
            HostStep::Replicas => "replicas",
            HostStep::Agent => "agent",
            HostStep::Done => "done",
            HostStep::Failed => "failed",
            HostStep::Returning => "returning",
            HostStep::Returned => "returned",
        })
    }
}
