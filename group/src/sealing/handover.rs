//! A key that is to be used instead of another one: kept in the store, for those who have the old one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::keys::fingerprint;
use crate::error::GroupError;

/// The record of an old key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handover {
    /// The fingerprint of the new key.
    pub(crate) to: String,
    /// The new key, sealed with the old one (AES-256-GCM); none when the old one is out of use.
    pub(crate) sealed: Option<String>,
    /// The old key, sealed with the new one, for as long: a process that is started with the new one still reads what is
    /// not sealed anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) back: Option<String>,
    /// When it was written, milliseconds on the store's clock.
    pub(crate) time_ms: u64,
}

impl Handover {
    /// Whoever has `old` finds `new` in it.
    pub(crate) fn new(old: &str, new: &str, time_ms: u64) -> Result<Handover, GroupError> {
        let (from, to) = (fingerprint(old), fingerprint(new));
        let sealed = seal_key(old, new, &names(&from, &to))?;
        let back = seal_key(new, old, &names(&to, &from))?;
        Ok(Handover { to, sealed: Some(sealed), back: Some(back), time_ms })
    }

    /// The old key, for who has the new one; `None` when this record is of other keys, or the old one is out of use.
    pub(crate) fn before(&self, new: &str, from: &str) -> Option<String> {
        let back = self.back.as_ref().filter(|_| self.to == fingerprint(new))?;
        open_key(new, back, &names(&self.to, from))
    }

    /// The new key.
    ///
    /// # Errors
    /// [`GroupError::Key`] when the old key is out of use, or the record was changed.
    pub(crate) fn open(&self, old: &str) -> Result<String, GroupError> {
        let Some(sealed) = &self.sealed else {
            let reason = format!(
                "the group's key was replaced, and this process was started with the old one (fingerprint {}): give it the new \
                 one ({}) as FLOTILLA_GROUP_KEY",
                fingerprint(old),
                self.to
            );
            return Err(GroupError::Key { field: "group_key", reason });
        };
        let opened = open_key(old, sealed, &names(&fingerprint(old), &self.to));
        opened.ok_or_else(|| broken("the record of the new key was changed in the store"))
    }
}

/// A key, sealed with another one. `names`: both fingerprints, so that the text fits nowhere else.
fn seal_key(with: &str, key: &str, names: &str) -> Result<String, GroupError> {
    let nonce: [u8; NONCE_LEN] = rand::random();
    let mut bytes = key.as_bytes().to_vec();
    cipher(with)
        .and_then(|cipher| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            cipher.seal_in_place_append_tag(nonce, Aad::from(names), &mut bytes).ok()
        })
        .ok_or_else(|| broken("the new key cannot be sealed"))?;
    Ok(STANDARD.encode([nonce.as_slice(), &bytes].concat()))
}

/// What [`seal_key`] sealed; `None` when it was changed, or sealed with another key.
fn open_key(with: &str, sealed: &str, names: &str) -> Option<String> {
    let bytes = STANDARD.decode(sealed).ok()?;
    let (nonce, text) = bytes.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = text.to_vec();
    let plain = cipher(with)?.open_in_place(nonce, Aad::from(names), &mut text).ok()?;
    String::from_utf8(plain.to_vec()).ok()
}

fn cipher(key: &str) -> Option<LessSafeKey> {
    let digest = Sha256::digest(format!("flotilla key handover\n{key}").as_bytes());
    UnboundKey::new(&AES_256_GCM, &digest).ok().map(LessSafeKey::new)
}

fn names(from: &str, to: &str) -> String {
    format!("{from} {to}")
}

fn broken(reason: &str) -> GroupError {
    GroupError::Key { field: "group_key", reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_old_key_finds_the_new_one() {
        let made = Handover::new("old", "new", 1).unwrap();
        assert_eq!(made.open("old").unwrap(), "new");
        assert!(made.open("other").is_err());
        assert!(Handover { to: fingerprint("third"), ..made.clone() }.open("old").is_err(), "it names another key");
        let from = fingerprint("old");
        assert_eq!(made.before("new", &from).unwrap(), "old", "and the other way round");
        assert!(made.before("other", &from).is_none() && made.before("new", &fingerprint("x")).is_none());
        let over = Handover { sealed: None, back: None, ..made.clone() };
        assert!(over.before("new", &from).is_none());
        let over = over.open("old").unwrap_err().to_string();
        assert!(over.contains(&fingerprint("new")) && over.contains("FLOTILLA_GROUP_KEY"), "{over}");
    }
}
