//! Where replicas are to run: hosts, server groups, and what stands in the way.

mod host;
mod server_group;
mod spec;
mod spread;
mod upgrade;

pub use host::{Host, HostFacts, HostLoad};
pub use server_group::{
    Domain, Joined, Move, PlacedMember, Policy, ServerGroupJoin, ServerGroupRules, ServerGroupSpec, ServerGroupStatus,
};
pub use spec::{PlacementCheck, PlacementSpec, PlacementSummary, Proposed};
pub use spread::warnings;
pub use upgrade::{
    AgentBinary, Binary, BinaryChunk, CHUNK, HostStep, HostUpgrade, LARGEST_BINARY, MemberUpgrade, NewBinary,
    NewUpgrade, RefusedBinary, Trial, Upgrade, UpgradeStatus, binary_name,
};
