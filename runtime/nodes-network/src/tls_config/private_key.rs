//! Private keys in PEM form, also those with a passphrase.

use pkcs8::EncryptedPrivateKeyInfo;
use pkcs8::der::pem::PemLabel as _;
use pkcs8::der::{Decode as _, Document};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// How a key that OpenSSL encrypted in its old way is brought into the form that is read here.
const CONVERT: &str = "convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY.pem -out NEW.pem";

/// Reads a key: PKCS #8, PKCS #1 or SEC 1; with a passphrase PKCS #8 (`BEGIN ENCRYPTED PRIVATE KEY`, PBES2).
///
/// # Errors
/// What is wrong with it and what to do, for people.
pub(super) fn read(pem: &[u8], passphrase: Option<&str>) -> Result<PrivateKeyDer<'static>, String> {
    let text = String::from_utf8_lossy(pem);
    if let Some(block) = block(&text, EncryptedPrivateKeyInfo::PEM_LABEL) {
        return decrypt(block, passphrase);
    }
    if text.contains("Proc-Type:") && text.contains("ENCRYPTED") {
        return Err(format!("the private key is encrypted in OpenSSL's old form, which is not read: {CONVERT}"));
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| format!("the private key is no PEM: {error}"))
}

/// The PEM block with this label, from its first line to its last.
fn block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let start = text.find(&format!("-----BEGIN {label}-----"))?;
    let last = format!("-----END {label}-----");
    let length = text[start..].find(&last)? + last.len();
    Some(&text[start..start + length])
}

fn decrypt(pem: &str, passphrase: Option<&str>) -> Result<PrivateKeyDer<'static>, String> {
    let Some(passphrase) = passphrase.filter(|passphrase| !passphrase.is_empty()) else {
        return Err("the private key is encrypted: give the tls-config node its passphrase".to_owned());
    };
    let (_, der) = Document::from_pem(pem).map_err(|error| format!("the private key is no PEM: {error}"))?;
    let encrypted = EncryptedPrivateKeyInfo::from_der(der.as_bytes()).map_err(|error| {
        format!("the private key is encrypted in a way that is not known here ({error}): {CONVERT}")
    })?;
    if encrypted.encryption_algorithm.pbes2().is_none() {
        return Err(format!("the private key is encrypted with an outdated method (PBES1): {CONVERT}"));
    }
    let plain = encrypted.decrypt(passphrase).map_err(|_| {
        format!("the private key could not be decrypted: is the passphrase of the tls-config node right? If it is, {CONVERT}")
    })?;
    Ok(PrivatePkcs8KeyDer::from(plain.as_bytes().to_vec()).into())
}
