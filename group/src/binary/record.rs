//! What the store says of a binary, signed.

use flotilla_api::placement::{Binary, CHUNK};
use ring::hmac::{HMAC_SHA256, Key, sign, verify};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::sealing::{each, newest};

/// What the store says of a binary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Of the whole file.
    pub(super) sha256: String,
    /// In bytes.
    pub(super) size: u64,
    /// Made with the group's key once all chunks were there and fitted the hash: hex of HMAC-SHA256. Who can write to the store
    /// and has no key cannot have agents run something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signature: Option<String>,
    /// Who sent it.
    pub(super) actor: String,
    /// When, milliseconds of the store's clock.
    pub(super) time_ms: u64,
}

impl Record {
    pub(super) fn chunks(&self) -> u32 {
        self.size.div_ceil(CHUNK as u64) as u32
    }

    /// The size of a chunk before it is deflated.
    pub(super) fn chunk_size(&self, index: u32) -> usize {
        (self.size - u64::from(index) * CHUNK as u64).min(CHUNK as u64) as usize
    }

    /// Signs with the newest of the group's keys.
    pub(super) fn sign(&mut self, keys: &str) {
        let tag = sign(&key(newest(keys)), self.signed_text().as_bytes());
        self.signature = Some(hex(tag.as_ref()));
    }

    /// True when one of the group's keys signed it.
    pub(super) fn is_signed(&self, keys: &str) -> bool {
        each(keys).any(|one| self.is_signed_with(one))
    }

    pub(super) fn is_signed_with(&self, one: &str) -> bool {
        let tag = self.signature.as_deref().and_then(unhex);
        tag.is_some_and(|tag| verify(&key(one), self.signed_text().as_bytes(), &tag).is_ok())
    }

    pub(super) fn shown(&self) -> Binary {
        Binary {
            sha256: self.sha256.clone(),
            size: self.size,
            chunks: self.chunks(),
            complete: self.signature.is_some(),
        }
    }

    fn signed_text(&self) -> String {
        format!("{} {}", self.sha256, self.size)
    }
}

fn key(group_key: &str) -> Key {
    Key::new(HMAC_SHA256, &Sha256::digest(format!("flotilla binary signature\n{group_key}").as_bytes()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.is_ascii().then_some(text)?;
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}
