//! Who changes something.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who changes something: the body of a pause, the query of a change of members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct By {
    /// Sent by clients of 0.1.0 and ignored: who it was is known from the credential.
    #[serde(default, skip_serializing)]
    pub actor: String,
}
