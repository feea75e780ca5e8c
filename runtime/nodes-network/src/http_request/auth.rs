//! Basic, bearer and digest authentication (RFC 7616).

use base64::Engine as _;
use md5::Md5;
use sha2::{Digest, Sha256, Sha512};

/// `Basic ...`.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

/// The answer to a digest challenge.
pub(super) fn digest(user: &str, password: &str, method: &str, path: &str, challenge: &str, cnonce: &str) -> String {
    let get = |name: &str| parameter(challenge, name);
    let (realm, nonce) = (get("realm").unwrap_or_default(), get("nonce").unwrap_or_default());
    let algorithm = get("algorithm");
    let plain = algorithm.clone().unwrap_or_default().to_lowercase();
    let session = plain.ends_with("-sess");
    let hash = |text: String| hash(plain.trim_end_matches("-sess"), &text);
    let mut ha1 = hash(format!("{user}:{realm}:{password}"));
    if session {
        ha1 = hash(format!("{ha1}:{nonce}:{cnonce}"));
    }
    let ha2 = hash(format!("{method}:{path}"));
    let qop = get("qop").filter(|list| list.split(',').any(|one| one.trim() == "auth"));
    let response = if qop.is_some() {
        hash(format!("{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}"))
    } else {
        hash(format!("{ha1}:{nonce}:{ha2}"))
    };
    let mut header = format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{path}\", response=\"{response}\""
    );
    if qop.is_some() {
        header.push_str(&format!(", qop=auth, nc=00000001, cnonce=\"{cnonce}\""));
    }
    if let Some(opaque) = get("opaque") {
        header.push_str(&format!(", opaque=\"{opaque}\""));
    }
    if let Some(algorithm) = algorithm {
        header.push_str(&format!(", algorithm=\"{algorithm}\""));
    }
    header
}

fn hash(algorithm: &str, text: &str) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    match algorithm {
        "sha-256" => hex(&Sha256::digest(text)),
        // Node-RED takes the first half of SHA-512, not SHA-512/256: servers that flows talk to expect that.
        "sha-512-256" => hex(&Sha512::digest(text))[..64].to_owned(),
        _ => hex(&Md5::digest(text)),
    }
}

/// A parameter of a challenge: quoted or not.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let lower = challenge.to_ascii_lowercase();
    let mut from = 0;
    while let Some(at) = lower[from..].find(&format!("{name}=")).map(|at| at + from) {
        let own = at == 0 || matches!(lower.as_bytes()[at - 1], b' ' | b',');
        let value = &challenge[at + name.len() + 1..];
        if own {
            return Some(match value.strip_prefix('"') {
                Some(quoted) => quoted[..quoted.find('"')?].to_owned(),
                None => value.split([',', ' ']).next().unwrap_or_default().to_owned(),
            });
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_2617() {
        let challenge = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                         nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let header = digest("Mufasa", "Circle Of Life", "GET", "/dir/index.html", challenge, "0a4f113b");
        assert!(header.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{header}");
        assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
