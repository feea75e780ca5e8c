//! Tags of answers, by which a client knows what it has already.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::HeaderValue;
use sha1::{Digest, Sha1};

/// Express's weak tag: length in hex and 27 characters of the SHA-1 in base64.
pub(super) fn etag(body: &[u8]) -> HeaderValue {
    let (mut hash, mut tag) = ([0_u8; 27], [0_u8; 64]);
    let mut free = &mut tag[..];
    let written = STANDARD_NO_PAD.encode_slice(Sha1::digest(body), &mut hash).is_ok()
        && write!(free, "W/\"{:x}-", body.len()).is_ok()
        && free.write_all(&hash).is_ok()
        && free.write_all(b"\"").is_ok();
    let free = free.len();
    let tag = &tag[..tag.len() - free];
    HeaderValue::from_bytes(if written { tag } else { b"W/\"0\"" }).unwrap_or(HeaderValue::from_static("W/\"0\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_expresss() {
        let tag = |body: &[u8]| etag(body).to_str().unwrap().to_owned();
        assert_eq!(tag(b""), "W/\"0-2jmj7l5rSw0yVb/vlWAYkK/YBwk\"");
        assert_eq!(tag(&[b'a'; 1000]), "W/\"3e8-KR6abGaZSUm1e6XmUDYemPw2sbo\"");
    }
}
