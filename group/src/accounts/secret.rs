//! Texts that are shown once and kept as hashes: `MARK_ID_SECRET`.

use subtle::ConstantTimeEq;

use super::random;

/// A new one: its identifier, and the whole text.
pub(super) fn new(mark: &str) -> (String, String) {
    let id = random::id();
    let text = format!("{mark}{id}_{}", random::secret());
    (id, text)
}

/// The identifier in a text; `None` when it is not of this kind.
pub(super) fn id_of<'a>(mark: &str, text: &'a str) -> Option<&'a str> {
    let (id, secret) = text.strip_prefix(mark)?.split_once('_')?;
    let is_id = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_id && secret.len() == 43).then_some(id)
}

/// SHA-256 of a text, in hex. It has 256 random bits, so that a slow hash would protect nothing more.
pub(super) fn digest(text: &str) -> String {
    crate::digest::digest(text, 32)
}

/// True when the text has this digest. It takes as long for every text.
pub(super) fn is(text: &str, kept: &str) -> bool {
    digest(text).as_bytes().ct_eq(kept.as_bytes()).into()
}
