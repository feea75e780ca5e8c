//! What restarts when a document takes another's place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What restarts in a replica that goes from one document to the next: Node-RED's deployment types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeployType {
    /// Everything.
    Full,
    /// Flows with a change, whole.
    Flows,
    /// Only nodes that changed; the others keep their state.
    #[default]
    Nodes,
}
