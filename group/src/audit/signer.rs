//! Signs and checks places in the chain.

use flotilla_api::audit::{Checkpoint, Sealed, Signature};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// Signs with a key that is made of the group's: whoever has the store alone does not have it.
pub struct Signer {
    pair: Ed25519KeyPair,
}

impl Signer {
    /// The signer of a group, by the group's key.
    pub fn new(group_key: &str) -> Option<Signer> {
        let seed = Sha256::digest(format!("flotilla audit signature\n{group_key}").as_bytes());
        Some(Signer { pair: Ed25519KeyPair::from_seed_unchecked(&seed).ok()? })
    }

    /// The public key in hex: what signatures are checked with.
    pub fn public_key(&self) -> String {
        hex(self.pair.public_key().as_ref())
    }

    pub(super) fn checkpoint(&self, group: &str, at: &Sealed, time_ms: u64) -> Checkpoint {
        let text = Checkpoint::signed_text(group, at.seq, &at.hash, time_ms);
        let signature = Signature { key: self.public_key(), signature: hex(self.pair.sign(text.as_bytes()).as_ref()) };
        Checkpoint { group: group.to_owned(), seq: at.seq, hash: at.hash.clone(), time_ms, signature }
    }
}

/// Whether a checkpoint's signature is by the key that it names.
pub(super) fn is_signed(checkpoint: &Checkpoint) -> bool {
    let Checkpoint { group, seq, hash, time_ms, signature } = checkpoint;
    let text = Checkpoint::signed_text(group, *seq, hash, *time_ms);
    let (Some(key), Some(bytes)) = (unhex(&signature.key), unhex(&signature.signature)) else { return false };
    UnparsedPublicKey::new(&ED25519, key).verify(text.as_bytes(), &bytes).is_ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(pair).collect()).flatten()
}
