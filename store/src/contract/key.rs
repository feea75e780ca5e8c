//! What a key and a value may be.

use super::error::{Result, StoreError};

/// The longest key or lease name, in bytes.
pub const MAX_KEY: usize = 512;
/// The largest value, in bytes. NATS takes no more than its server's `max_payload` (1 MiB unless configured).
pub const MAX_VALUE: usize = 16 * 1024 * 1024;

/// Refuses a key or a lease name that some backend could not keep.
pub(crate) fn check_key(key: &str) -> Result<()> {
    let reason = if key.is_empty() {
        "it is empty: give it a name"
    } else if key.len() > MAX_KEY {
        "it is longer than 512 bytes: shorten it"
    } else if key.contains('\0') {
        "it has a NUL character: leave it out"
    } else {
        return Ok(());
    };
    Err(StoreError::BadKey { key: key.chars().take(64).collect(), reason })
}

/// Refuses a value that is too large.
pub(crate) fn check_value(key: &str, value: &[u8], limit: usize, store: &'static str) -> Result<()> {
    if value.len() <= limit {
        return Ok(());
    }
    Err(StoreError::TooLarge { key: key.to_owned(), size: value.len(), limit, store })
}

/// The first string after all strings that begin with `prefix`; `None` when there is none.
pub(crate) fn prefix_end(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_some_backend_cannot_keep_are_refused() {
        assert!(check_key("context/flow 1/größe").is_ok());
        assert!(check_key("").is_err());
        assert!(check_key("a\0b").is_err());
        assert!(check_key(&"x".repeat(MAX_KEY)).is_ok());
        assert!(check_key(&"x".repeat(MAX_KEY + 1)).is_err());
        assert!(check_value("k", &[0; 11], 10, "x").is_err());
    }

    #[test]
    fn a_prefix_ends_where_the_next_one_begins() {
        assert_eq!(prefix_end("a/"), Some("a0".to_owned()));
        assert_eq!(prefix_end("a\u{10ffff}"), Some("b".to_owned()));
        assert_eq!(prefix_end("\u{d7ff}"), Some("\u{e000}".to_owned()));
        assert_eq!(prefix_end(""), None);
    }
}
