//! An immutable, content-addressed flow document with what belongs to it.

use std::collections::BTreeMap;

use flotilla_flows::{CredentialsError, encrypt_credentials, read_credentials};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::GroupError;

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

    /// Encrypts the credentials, which are encrypted with one group's key, with another's.
    ///
    /// # Errors
    /// [`GroupError::Key`] when a key is missing or not the one they were encrypted with; nothing is changed then.
    pub fn recrypt(&mut self, old: Option<&str>, new: Option<&str>) -> Result<(), GroupError> {
        if !self.credentials.is_object() {
            return Ok(());
        }
        let failed = |field, reason: String| GroupError::Key { field, reason };
        let plain = read_credentials(&self.credentials, old).map_err(|error| match error {
            CredentialsError::Shape(_) => failed("from_key", error.to_string()),
            CredentialsError::NoSecret | CredentialsError::WrongSecret => failed(
                "from_key",
                "the key of the group they come from is missing or another: give from_key".to_owned(),
            ),
        })?;
        let new = new.ok_or_else(|| failed("key", "the group's own key is missing: give key".to_owned()))?;
        self.credentials = encrypt_credentials(&plain, new);
        Ok(())
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

    #[test]
    fn credentials_are_encrypted_anew_for_another_group() {
        let plain = [("n1".to_owned(), serde_json::Map::from_iter([("password".to_owned(), "hush".into())]))].into();
        let mut revision = Revision {
            flows: serde_json::json!([]),
            credentials: encrypt_credentials(&plain, "a's key"),
            env: BTreeMap::new(),
            settings: serde_json::Map::new(),
            message: String::new(),
        };
        let before = revision.clone();
        assert!(matches!(
            revision.recrypt(Some("wrong"), Some("b's key")),
            Err(GroupError::Key { field: "from_key", .. })
        ));
        assert!(matches!(revision.recrypt(None, Some("b's key")), Err(GroupError::Key { field: "from_key", .. })));
        assert!(matches!(revision.recrypt(Some("a's key"), None), Err(GroupError::Key { field: "key", .. })));
        assert_eq!(revision, before, "nothing changed");
        revision.recrypt(Some("a's key"), Some("b's key")).unwrap();
        assert_eq!(read_credentials(&revision.credentials, Some("b's key")).unwrap(), plain);
        assert!(read_credentials(&revision.credentials, Some("a's key")).is_err());
        assert_ne!(revision.id(), before.id());
    }
}
