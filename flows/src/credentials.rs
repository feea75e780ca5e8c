//! Credentials files: plain, or encrypted as Node-RED does it.

use std::collections::HashMap;

use aes::cipher::{KeyIvInit, StreamCipher};
use base64::Engine;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Credentials by node id.
pub type NodeCredentials = HashMap<String, Map<String, Value>>;

/// Why credentials cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CredentialsError {
    /// Encrypted, and no secret was given.
    #[error("the credentials are encrypted: give Node-RED's credentialSecret")]
    NoSecret,
    /// The secret does not fit.
    #[error("the credentials cannot be decrypted: the credentialSecret is not the one they were encrypted with")]
    WrongSecret,
    /// Not a credentials file.
    #[error("not a Node-RED credentials file: {0}")]
    Shape(&'static str),
}

/// 32 hex digits of initialisation vector, then base64.
const IV_DIGITS: usize = 32;

/// Reads `flows_cred.json`: plain (`{nodeId: {...}}`) or encrypted (`{"$": "..."}`, AES-256-CTR with SHA-256 of the secret
/// as key: Node-RED's `nodes/credentials.js`).
pub fn read_credentials(file: &Value, secret: Option<&str>) -> Result<NodeCredentials, CredentialsError> {
    let Value::Object(map) = file else { return Err(CredentialsError::Shape("it is not an object")) };
    let plain = match map.get("$") {
        Some(Value::String(text)) => {
            let plain = decrypt(text, secret.ok_or(CredentialsError::NoSecret)?)?;
            serde_json::from_slice(&plain).map_err(|_| CredentialsError::WrongSecret)?
        }
        Some(_) => return Err(CredentialsError::Shape("\"$\" is not a string")),
        None => file.clone(),
    };
    let Value::Object(map) = plain else { return Err(CredentialsError::WrongSecret) };
    let objects = map.into_iter().filter_map(|(id, value)| match value {
        Value::Object(fields) => Some((id, fields)),
        _ => None,
    });
    Ok(objects.collect())
}

/// Encrypts credentials by node id in the form that [`read_credentials`] reads. The initialisation vector follows from
/// the secret and the content, so that the same credentials are the same text and a revision keeps its id.
pub fn encrypt_credentials(plain: &NodeCredentials, secret: &str) -> Value {
    let sorted: std::collections::BTreeMap<_, _> = plain.iter().collect();
    serde_json::json!({ "$": encrypt(serde_json::to_vec(&sorted).unwrap_or_default(), secret) })
}

/// Encrypts a text in the same way: 32 hex digits, then base64 (FlowFuse's `encryptValue`).
pub(crate) fn encrypt_text(plain: &str, secret: &str) -> String {
    encrypt(plain.as_bytes().to_vec(), secret)
}

/// Reads what [`encrypt_text`] wrote. The cipher does not tell a wrong secret: its result is refused only where it is no
/// text.
pub(crate) fn decrypt_text(text: &str, secret: Option<&str>) -> Result<String, CredentialsError> {
    let plain = decrypt(text, secret.ok_or(CredentialsError::NoSecret)?)?;
    String::from_utf8(plain).map_err(|_| CredentialsError::WrongSecret)
}

fn encrypt(mut data: Vec<u8>, secret: &str) -> String {
    let key = Sha256::digest(secret.as_bytes());
    let iv: [u8; 16] = std::array::from_fn({
        let digest = Sha256::new().chain_update(b"iv").chain_update(key).chain_update(&data).finalize();
        move |at| digest[at]
    });
    ctr::Ctr128BE::<aes::Aes256>::new(&key, &iv.into()).apply_keystream(&mut data);
    let digits: String = iv.iter().map(|byte| format!("{byte:02x}")).collect();
    digits + &base64::engine::general_purpose::STANDARD.encode(data)
}

fn decrypt(text: &str, secret: &str) -> Result<Vec<u8>, CredentialsError> {
    let (iv, data) = text.split_at_checked(IV_DIGITS).ok_or(CredentialsError::Shape("\"$\" is too short"))?;
    let byte = |at: usize| iv.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let iv: Option<Vec<u8>> = (0..IV_DIGITS).step_by(2).map(byte).collect();
    let iv = iv.ok_or(CredentialsError::Shape("\"$\" does not begin with 32 hex digits"))?;
    let mut data = base64::engine::general_purpose::STANDARD
        .decode(data)
        .map_err(|_| CredentialsError::Shape("\"$\" is not base64 after its first 32 digits"))?;
    let key = Sha256::digest(secret.as_bytes());
    let mut cipher = ctr::Ctr128BE::<aes::Aes256>::new_from_slices(&key, &iv)
        .map_err(|_| CredentialsError::Shape("\"$\" has a bad initialisation vector"))?;
    cipher.apply_keystream(&mut data);
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryption_is_read_back_and_is_the_same_each_time() {
        let plain = read_credentials(&serde_json::json!({"b": {"user": "u"}, "a": {"password": "p"}}), None).unwrap();
        let encrypted = encrypt_credentials(&plain, "group key");
        assert!(!encrypted.to_string().contains("password"));
        assert_eq!(read_credentials(&encrypted, Some("group key")).unwrap(), plain);
        assert_eq!(encrypt_credentials(&plain, "group key"), encrypted);
        assert_ne!(encrypt_credentials(&plain, "another"), encrypted);
    }

    #[test]
    fn what_was_encrypted_is_read_and_a_wrong_secret_is_named() {
        let key = Sha256::digest(b"secret");
        let mut data = br#"{"n":{"user":"u"}}"#.to_vec();
        let mut cipher = ctr::Ctr128BE::<aes::Aes256>::new_from_slices(&key, &[0x1f; 16]).unwrap();
        cipher.apply_keystream(&mut data);
        let text = "1f".repeat(16) + &base64::engine::general_purpose::STANDARD.encode(data);
        let file = serde_json::json!({ "$": text });
        assert_eq!(read_credentials(&file, Some("secret")).unwrap()["n"]["user"], "u");
        assert_eq!(read_credentials(&file, Some("other")), Err(CredentialsError::WrongSecret));
        assert_eq!(read_credentials(&file, None), Err(CredentialsError::NoSecret));
        let plain = serde_json::json!({"n": {"password": "p"}});
        assert_eq!(read_credentials(&plain, None).unwrap()["n"]["password"], "p");
    }
}
