//! Keys as subjects: a subject has tokens between dots and few characters; a key is any text.

use std::fmt::Write as _;

/// The subject of a key. `/` becomes a dot, so that a prefix that ends with one is a subject of its own.
pub(super) fn subject(root: &str, key: &str) -> String {
    let mut subject = root.to_owned();
    for part in key.split('/') {
        subject.push('.');
        if part.is_empty() {
            subject.push('=');
        }
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
                subject.push(char::from(byte));
            } else {
                write!(subject, "={byte:02X}").expect("a String takes any text");
            }
        }
    }
    subject
}

/// The key of a subject.
pub(super) fn key(root: &str, subject: &str) -> Option<String> {
    let tokens = subject.strip_prefix(root)?.strip_prefix('.')?;
    let mut bytes = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.split('.').enumerate() {
        if at > 0 {
            bytes.push(b'/');
        }
        if token == "=" {
            continue;
        }
        let mut rest = token.as_bytes();
        while let [first, tail @ ..] = rest {
            if *first == b'=' {
                let code = std::str::from_utf8(tail.get(..2)?).ok()?;
                bytes.push(u8::from_str_radix(code, 16).ok()?);
                rest = &tail[2..];
            } else {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// A subject filter that matches all keys of a prefix, and perhaps more.
pub(super) fn filter(root: &str, prefix: &str) -> String {
    match prefix.rsplit_once('/') {
        Some((whole, _)) => format!("{}.>", subject(root, whole)),
        None => format!("{root}.>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_is_a_subject_and_comes_back() {
        for text in ["a", "a/b", "a.b", "a//x", "/", "//", "größe", "a b*>", "=", "a=b", "%", "\n", "\u{10ffff}"] {
            let subject = subject("$KV.f.e", text);
            assert_eq!(key("$KV.f.e", &subject).as_deref(), Some(text), "{subject}");
            let tokens = subject.strip_prefix("$KV.f.e.").unwrap();
            assert!(tokens.split('.').all(|token| !token.is_empty() && !token.contains(['*', '>', ' '])), "{subject}");
        }
        assert_eq!(filter("$KV.f.e", "a/b/c"), "$KV.f.e.a.b.>");
        assert_eq!(filter("$KV.f.e", "a"), "$KV.f.e.>");
        assert_eq!(key("$KV.f.e", "$KV.f.e.a=Z"), None);
    }
}
