//! An immutable, content-addressed flow document with what belongs to it.

use std::collections::BTreeMap;

use bytes::Bytes;
use flotilla_flows::{NodeCredentials, NodeSettings};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::GroupError;
use crate::{keys, sealing};

/// Hex digits of a revision's id: enough that two never meet.
const ID_DIGITS: usize = 16;

/// An immutable flow document with its environment, credentials and settings. Its id is the hash of all of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Group settings by node id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, NodeSettings>,
    /// Keys that it needs and that have no value yet, as `env NAME` and `credentials NODE.FIELD`: it cannot be rolled out
    /// before they have one. A copy from another group begins so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The version of the group's secrets for which it was made; 0: none. Revisions see the secrets of today, whatever
    /// this says: it makes a rollout of a change of secrets possible.
    #[serde(default, skip_serializing_if = "flotilla_api::omit::is_default")]
    pub secrets: u64,
    /// Its credentials were sealed anew with another key of the group: it keeps its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resealed: Option<Resealed>,
}

/// The id of a revision that was sealed anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resealed {
    /// The id.
    id: String,
    /// The hash of the content as it is now: with another content it is another revision.
    hash: String,
}

/// JSON of JSON and texts, which is always JSON.
fn written(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

impl Revision {
    /// The id: the first 16 hex digits of SHA-256 over everything but the message. The same content is the
    /// same revision. One that was sealed anew has the id that it had before.
    pub fn id(&self) -> String {
        self.id_with(&written(&self.flows))
    }

    /// Its id, and its record in the store. The flows may be large: they are written once for both.
    pub(super) fn id_and_record(&mut self) -> (String, Bytes) {
        let flows = std::mem::take(&mut self.flows);
        let text = written(&flows);
        let (id, rest) = (self.id_with(&text), keys::encode(self));
        self.flows = flows;
        let Some(rest) = rest.strip_prefix(br#"{"flows":null"#) else { return (id, keys::encode(self)) };
        let parts: [&[u8]; 3] = [br#"{"flows":"#, &text, rest];
        (id, Bytes::from(parts.concat()))
    }

    fn id_with(&self, flows: &[u8]) -> String {
        let hash = self.hash_with(flows);
        match &self.resealed {
            Some(resealed) if resealed.hash == hash => resealed.id.clone(),
            _ => hash,
        }
    }

    /// The same revision with its credentials sealed with another key.
    pub(crate) fn seal_anew(&mut self, credentials: serde_json::Value) {
        let id = self.id();
        self.credentials = credentials;
        self.resealed = Some(Resealed { id, hash: self.hash() });
    }

    fn hash(&self) -> String {
        self.hash_with(&written(&self.flows))
    }

    /// The hash of a list of all of it: `[flows, credentials, env, settings]`. `flows` is their text.
    fn hash_with(&self, flows: &[u8]) -> String {
        // Revisions without these have the id that 0.1.0 gave them.
        let rest = if self.nodes.is_empty() && self.missing.is_empty() && self.secrets == 0 {
            written(&(&self.credentials, &self.env, &self.settings))
        } else {
            let Revision { credentials, env, settings, nodes, missing, secrets, .. } = self;
            written(&(credentials, env, settings, nodes, missing, secrets))
        };
        let mut digest = Sha256::new();
        let parts: [&[u8]; 4] = [b"[", flows, b",", rest.strip_prefix(b"[").unwrap_or_default()];
        parts.iter().for_each(|part| digest.update(part));
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..ID_DIGITS].to_owned()
    }

    /// The credentials by node id; none when it has none.
    ///
    /// # Errors
    /// [`GroupError::Key`] when the key is missing or not the one that they were encrypted with.
    pub fn credentials_with(&self, key: Option<&str>) -> Result<NodeCredentials, GroupError> {
        if !self.credentials.is_object() {
            return Ok(NodeCredentials::new());
        }
        sealing::open(&self.credentials, key).map_err(|error| GroupError::Key {
            field: "group_key",
            reason: format!("the group's key is missing or another ({error}): give it as FLOTILLA_GROUP_KEY"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids are in stores and in histories: what makes one must never change.
    #[test]
    fn ids_are_those_that_former_versions_gave() {
        let mut revision = Revision {
            flows: serde_json::json!([{"id": "a", "z": "t", "x": 1.0, "n": 1e21, "text": "\u{1}\"ü"}, {"b": {"c": null}}]),
            env: [("B".to_owned(), "2".to_owned()), ("A".to_owned(), "1".to_owned())].into(),
            settings: serde_json::Map::from_iter([("s".to_owned(), true.into())]),
            ..Revision::default()
        };
        let as_before = |revision: &Revision| {
            let mut content = vec![
                serde_json::json!(revision.flows),
                serde_json::json!(revision.credentials),
                serde_json::json!(revision.env),
                serde_json::json!(revision.settings),
            ];
            if !revision.nodes.is_empty() || !revision.missing.is_empty() || revision.secrets > 0 {
                content.extend([
                    serde_json::json!(revision.nodes),
                    serde_json::json!(revision.missing),
                    serde_json::json!(revision.secrets),
                ]);
            }
            crate::digest::digest(&serde_json::Value::Array(content).to_string(), ID_DIGITS / 2)
        };
        assert_eq!(revision.id(), as_before(&revision));
        revision.secrets = 3;
        let settings = NodeSettings { order_key: Some("a/{b}".to_owned()), ..NodeSettings::default() };
        revision.nodes.insert("a".to_owned(), settings);
        assert_eq!(revision.id(), as_before(&revision));
    }

    #[test]
    fn what_is_written_once_for_id_and_record_is_what_each_of_them_would_be() {
        for flows in [serde_json::json!([{"id": "a", "x": 1.0, "text": "\"flows\":null ü\n"}]), serde_json::Value::Null]
        {
            let mut revision = Revision { flows, message: "why".to_owned(), secrets: 7, ..Revision::default() };
            revision.seal_anew(serde_json::json!({"$": "sealed"}));
            let before = revision.clone();
            assert_eq!(revision.id_and_record(), (before.id(), keys::encode(&before)));
            assert_eq!(revision, before);
        }
    }

    #[test]
    fn the_id_follows_the_content_and_not_the_message() {
        let mut revision = Revision {
            flows: serde_json::json!([{"id": "a"}]),
            credentials: serde_json::Value::Null,
            env: BTreeMap::new(),
            settings: serde_json::Map::new(),
            message: "first".to_owned(),
            ..Revision::default()
        };
        let id = revision.id();
        revision.message = "second".to_owned();
        assert_eq!(revision.id(), id);
        revision.env.insert("A".to_owned(), "1".to_owned());
        assert_ne!(revision.id(), id);
        assert_eq!(id.len(), ID_DIGITS);
        let id = revision.id();
        revision.seal_anew(serde_json::json!({"$": "one"}));
        revision.seal_anew(serde_json::json!({"$": "two"}));
        assert_eq!(revision.id(), id, "another key makes no other revision");
        revision.env.insert("A".to_owned(), "2".to_owned());
        assert_ne!(revision.id(), id);
    }
}
