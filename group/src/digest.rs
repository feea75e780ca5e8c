//! SHA-256 in hex.

use sha2::{Digest as _, Sha256};

/// The first so many bytes of a text's SHA-256, in hex; 32 are all.
pub(crate) fn digest(text: &str, bytes: usize) -> String {
    Sha256::digest(text).iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}
