//! Who changes something.

use serde::{Deserialize, Serialize};

/// Who changes something: the body of a pause, the query of a change of members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    /// A user's name, for the audit log; empty: `admin`.
    #[serde(default)]
    pub actor: String,
}

impl By {
    /// The name for the audit log.
    pub fn name(&self) -> &str {
        name(&self.actor)
    }
}

/// The name for the audit log of a request that gives `actor`.
pub fn name(actor: &str) -> &str {
    if actor.is_empty() { "admin" } else { actor }
}
