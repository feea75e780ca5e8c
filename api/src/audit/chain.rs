//! The audit log as a chain: each entry has the hash of the one before, so that none can be changed, taken out or put in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An entry in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sealed {
    /// Its place: 1 is the first.
    pub seq: u64,
    /// The hash of the entry before; of the first one: empty.
    pub prev: String,
    /// The entry in JSON, as it was hashed.
    pub text: String,
    /// SHA-256 in hex of log, place, hash before and text.
    pub hash: String,
}

/// A signature with the key that is made of the group's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signature {
    /// The public Ed25519 key in hex.
    pub key: String,
    /// The signature in hex.
    pub signature: String,
}

/// A place in the chain that was signed: whatever is before it is what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checkpoint {
    /// The group; empty: the log of what concerns none.
    pub group: String,
    /// The place.
    pub seq: u64,
    /// The hash of the entry there.
    pub hash: String,
    /// Milliseconds since the epoch, on the store's clock.
    pub time_ms: u64,
    /// The signature of all that.
    #[serde(flatten)]
    pub signature: Signature,
}

/// `GET /api/v1/groups/{group}/audit/chain`: all that is needed to check a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditChain {
    /// The group; empty: the log of what concerns none.
    pub group: String,
    /// The entries that are kept, in their order.
    pub entries: Vec<Sealed>,
    /// The last entry.
    #[serde(default)]
    pub head: Option<Sealed>,
    /// The signed places.
    pub checkpoints: Vec<Checkpoint>,
    /// Entries of versions before 0.2, which are in no chain.
    pub unchained: usize,
    /// The store's clock in milliseconds since the epoch.
    pub now_ms: u64,
    /// For how long entries are kept, in milliseconds.
    pub kept_ms: u64,
}

impl Sealed {
    /// The entry after `before` (`None`: the first).
    pub fn after(before: Option<&Sealed>, group: &str, text: String) -> Sealed {
        let (seq, prev) = before.map_or((1, String::new()), |before| (before.seq + 1, before.hash.clone()));
        let hash = Sealed::hash_of(group, seq, &prev, &text);
        Sealed { seq, prev, text, hash }
    }

    /// Whether the hash is that of the content.
    pub fn is_sound(&self, group: &str) -> bool {
        Sealed::hash_of(group, self.seq, &self.prev, &self.text) == self.hash
    }

    fn hash_of(group: &str, seq: u64, prev: &str, text: &str) -> String {
        // No part but the last can have a line end.
        let content = format!("flotilla audit entry\n{group}\n{seq}\n{prev}\n{text}");
        Sha256::digest(content.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Checkpoint {
    /// What is signed.
    pub fn signed_text(group: &str, seq: u64, hash: &str, time_ms: u64) -> String {
        format!("flotilla audit checkpoint\n{group}\n{seq}\n{hash}\n{time_ms}")
    }
}
