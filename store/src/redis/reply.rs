//! What the script answers: a word, then its parts.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;

use crate::contract::{Entry, Fence, Result, StoreError};

/// One answer of the script.
pub(super) struct Reply {
    parts: Vec<Vec<u8>>,
    place: String,
}

impl Reply {
    pub(super) fn new(parts: Vec<Vec<u8>>, place: String) -> Reply {
        Reply { parts, place }
    }

    /// The first part: `ok`, `none`, `fenced`, `held`, `conflict`, `nan`.
    pub(super) fn word(&self) -> &str {
        self.parts.first().and_then(|part| std::str::from_utf8(part).ok()).unwrap_or_default()
    }

    /// Refuses an answer that says that the lease was lost.
    pub(super) fn unless_fenced(self, fence: Option<&Fence>) -> Result<Reply> {
        match fence {
            Some(Fence { lease, token }) if self.word() == "fenced" => {
                Err(StoreError::Fenced { lease: lease.clone(), token: *token })
            }
            _ => Ok(self),
        }
    }

    /// A part as text.
    pub(super) fn text(&self, at: usize) -> Result<String> {
        let part = self.parts.get(at).cloned().unwrap_or_default();
        String::from_utf8(part).map_err(|_| self.corrupt("text that is not UTF-8"))
    }

    /// A part as a whole number.
    pub(super) fn number(&self, at: usize) -> Result<u64> {
        self.text(at)?.parse().map_err(|_| self.corrupt("a number that is none"))
    }

    /// Three parts as an entry: value, version, expiry.
    pub(super) fn entry(&self, key: &str, at: usize) -> Result<Option<Entry>> {
        if self.parts.get(at + 1).is_none_or(Vec::is_empty) {
            return Ok(None);
        }
        let value = Bytes::from(self.parts[at].clone());
        let expires = match self.text(at + 2)?.as_str() {
            "" => None,
            _ => Some(UNIX_EPOCH + Duration::from_millis(self.number(at + 2)?)),
        };
        Ok(Some(Entry { key: key.to_owned(), value, version: self.number(at + 1)?, expires }))
    }

    /// How many rows of four parts there are.
    pub(super) fn rows(&self) -> usize {
        self.parts.len().saturating_sub(1) / 4
    }

    fn corrupt(&self, found: &str) -> StoreError {
        StoreError::Corrupt { store: self.place.clone(), reason: format!("it holds {found}") }
    }
}
