//! What a process prints, as payloads.

use bytes::Bytes;

use flotilla_value::Value;

/// Text when it is UTF-8 that can be printed, else a buffer. Node-RED takes control characters, except tabs and the ends of
/// lines, for a sign that it is none.
pub(super) fn payload(bytes: Vec<u8>) -> Value {
    let control = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r');
    if bytes.iter().any(control) {
        return Value::Buffer(Bytes::from(bytes));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(error) => Value::Buffer(Bytes::from(error.into_bytes())),
    }
}

/// Where the whole characters at the front end, when only the last one is cut off; else everything.
pub(super) fn whole(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_not_cut() {
        assert_eq!(whole(b"a\xc3\xa9\xe2\x82"), 3);
        assert_eq!(whole(b"a\xff\xc3"), 3);
        assert_eq!(whole(b"ab"), 2);
        assert_eq!(payload(b"\xff".to_vec()), Value::Buffer(Bytes::from_static(b"\xff")));
        assert_eq!(payload(b"\x1b[0m".to_vec()), Value::Buffer(Bytes::from_static(b"\x1b[0m")));
        assert_eq!(payload(b"x".to_vec()), Value::from("x"));
    }
}
