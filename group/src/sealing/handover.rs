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
    /// When it was written, milliseconds on the store's clock.
    pub(crate) time_ms: u64,
}

impl Handover {
    /// Whoever has `old` finds `new` in it.
    pub(crate) fn new(old: &str, new: &str, time_ms: u64) -> Result<Handover, GroupError> {
        let (from, to) = (fingerprint(old), fingerprint(new));
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut bytes = new.as_bytes().to_vec();
        cipher(old)
            .and_then(|cipher| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                cipher.seal_in_place_append_tag(nonce, Aad::from(names(&from, &to)), &mut bytes).ok()
            })
            .ok_or_else(|| broken("the new key cannot be sealed"))?;
        let sealed = STANDARD.encode([nonce.as_slice(), &bytes].concat());
        Ok(Handover { to, sealed: Some(sealed), time_ms })
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
        let changed = || broken("the record of the new key was changed in the store");
        let bytes = STANDARD.decode(sealed).map_err(|_| changed())?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or_else(changed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| changed())?;
        let mut text = text.to_vec();
        let names = names(&fingerprint(old), &self.to);
        let cipher = cipher(old).ok_or_else(changed)?;
        let plain = cipher.open_in_place(nonce, Aad::from(names), &mut text).map_err(|_| changed())?;
        String::from_utf8(plain.to_vec()).map_err(|_| changed())
    }
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
        let over = Handover { sealed: None, ..made }.open("old").unwrap_err().to_string();
        assert!(over.contains(&fingerprint("new")) && over.contains("FLOTILLA_GROUP_KEY"), "{over}");
    }
}
