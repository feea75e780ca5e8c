//! By which rules a rollout goes.

use flotilla_flows::DeployType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// By which rules a rollout goes. Times are in milliseconds of the store's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// Replicas that stay ready at least; the default is all but one. A group of one has none to spare: its replica
    /// swaps in place while the gateway holds requests back.
    pub min_available: Option<usize>,
    /// Hosts on which ready replicas stay at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_hosts: Option<usize>,
    /// Zones in which ready replicas stay at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_zones: Option<usize>,
    /// How long a replica may take to finish what is in flight before it swaps.
    pub drain_ms: u64,
    /// How long it may take after that to be ready.
    pub ready_ms: u64,
    /// How long it must stay ready, not crash and not fail more deliveries than the old revision.
    pub probation_ms: u64,
    /// How long a delivery may stay open in probation, or twice as long as with the old revision. A flow that holds messages
    /// for longer on purpose says so.
    pub stuck_ms: u64,
    /// The new revision's share of failed deliveries may be this many times the old one's.
    pub error_factor: f64,
    /// A share of failed deliveries up to this is never a reason to halt.
    pub error_floor: f64,
    /// What restarts in a replica that moves to the new revision. One that goes back restarts only what differs.
    pub deploy_type: DeployType,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            min_available: None,
            min_hosts: None,
            min_zones: None,
            drain_ms: 15_000,
            ready_ms: 30_000,
            probation_ms: 5_000,
            stuck_ms: 10_000,
            error_factor: 2.0,
            error_floor: 0.01,
            deploy_type: DeployType::default(),
        }
    }
}

impl Rules {
    /// Why these rules cannot be followed by a group of this size, with the field at fault.
    pub fn problem(&self, size: usize) -> Option<(&'static str, String)> {
        if let Some(least) = self.min_available
            && least >= size.max(1)
        {
            let reason = format!(
                "min_available {least} leaves no replica to move in a group of {size}: use {} at most, or add replicas",
                size.saturating_sub(1)
            );
            return Some(("min_available", reason));
        }
        let number = |value: f64| value.is_finite() && value >= 0.0;
        if !number(self.error_factor) {
            return Some(("error_factor", format!("error_factor {} must be 0 or more", self.error_factor)));
        }
        if !number(self.error_floor) || self.error_floor > 1.0 {
            return Some(("error_floor", format!("error_floor {} must be a share from 0 to 1", self.error_floor)));
        }
        None
    }
}
