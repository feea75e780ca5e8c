//! Texts that nobody can guess.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 256 random bits, in letters that need no quoting.
pub(super) fn secret() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// 64 random bits in hex: an identifier.
pub(super) fn id() -> String {
    format!("{:016x}", rand::random::<u64>())
}
