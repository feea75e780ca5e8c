//! A text with the keys of a group: one a line, the newest first. What is sealed is sealed with the newest.

use flotilla_flows::{CredentialsError, NodeCredentials, encrypt_credentials, read_credentials};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Hex digits of a fingerprint.
const DIGITS: usize = 16;

/// The keys in a text, the newest first.
pub(crate) fn each(text: &str) -> impl Iterator<Item = &str> {
    // A key with an end of line in it, as versions before took it, comes last as it is.
    let whole = std::iter::once(text).filter(|text| text.contains('\n'));
    text.split('\n').map(str::trim).filter(|key| !key.is_empty()).chain(whole)
}

/// The key that things are sealed with.
pub fn newest(text: &str) -> &str {
    each(text).next().unwrap_or(text)
}

/// Names a key and tells nothing of it.
pub fn fingerprint(key: &str) -> String {
    let digest = Sha256::digest(format!("flotilla key\n{key}").as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..DIGITS].to_owned()
}

/// Seals credentials, or what is kept in their form, with the newest key of the text.
pub fn seal(plain: &NodeCredentials, keys: &str) -> Value {
    encrypt_credentials(plain, newest(keys))
}

/// Opens what [`seal`] made, with whichever key of the text fits. What is not sealed is read as it is.
///
/// # Errors
/// When it is sealed and none fits.
pub fn open(sealed: &Value, keys: Option<&str>) -> Result<NodeCredentials, CredentialsError> {
    let mut failed = None;
    for key in keys.into_iter().flat_map(each) {
        match read_credentials(sealed, Some(key)) {
            Ok(plain) => return Ok(plain),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => read_credentials(sealed, keys),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn old_keys_open_and_the_newest_seals() {
        let plain = NodeCredentials::from([("n".to_owned(), Map::from_iter([("password".to_owned(), json!("p"))]))]);
        let old = seal(&plain, "one");
        let new = seal(&plain, "two\none");
        for sealed in [&old, &new] {
            assert_eq!(open(sealed, Some("two\none\n")).unwrap(), plain);
        }
        assert!(
            open(&new, Some("one")).is_err() && open(&new, Some("two")).is_ok() && open(&old, Some("two")).is_err()
        );
        let before = encrypt_credentials(&plain, "with an end of line\n");
        assert_eq!(open(&before, Some("with an end of line\n")).unwrap(), plain);
        assert!(open(&new, None).is_err());
        assert_ne!(fingerprint("one"), fingerprint("two"));
    }
}
