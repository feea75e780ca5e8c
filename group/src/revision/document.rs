//! An immutable, content-addressed flow document with what belongs to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Hex digits of a revision's id: enough that two never meet.
const ID_DIGITS: usize = 16;

/// An immutable flow document with its environment, credentials and settings. Its id is the hash of all of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// The flow document, as exported.
    pub flows: serde_json::Value,
    /// The credentials file's content: as it came, so encrypted when it was encrypted.
    pub credentials: serde_json::Value,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Settings under Node-RED's names, for example `contextStorage`.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// What the author says about it.
    pub message: String,
}

impl Revision {
    /// The id: the first 16 hex digits of SHA-256 over flows, credentials, env and settings. The message is not part of
    /// it: the same flows are the same revision.
    pub fn id(&self) -> String {
        let content = serde_json::json!([self.flows, self.credentials, self.env, self.settings]);
        let digest = Sha256::digest(content.to_string());
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..ID_DIGITS].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_follows_the_content_and_not_the_message() {
        let mut revision = Revision {
            flows: serde_json::json!([{"id": "a"}]),
            credentials: serde_json::Value::Null,
            env: BTreeMap::new(),
            settings: serde_json::Map::new(),
            message: "first".to_owned(),
        };
        let id = revision.id();
        revision.message = "second".to_owned();
        assert_eq!(revision.id(), id);
        revision.env.insert("A".to_owned(), "1".to_owned());
        assert_ne!(revision.id(), id);
        assert_eq!(id.len(), ID_DIGITS);
    }
}
