//! Passwords, kept as argon2id hashes.

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Argon2, PasswordHash, PasswordVerifier};

/// Shorter passwords are guessed.
const SHORTEST: usize = 8;
/// Longer ones cost time and protect nothing more.
const LONGEST: usize = 1024;

/// A password that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// It can be guessed, or it is endless.
    #[error("the password has {0} characters: use {SHORTEST} to {LONGEST}")]
    Length(usize),
    /// The library does not take it.
    #[error("the password cannot be hashed: {0}")]
    Unhashable(String),
}

/// The hash of a password, in the form `$argon2id$...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash(String);

impl Hash {
    /// Hashes a password with a new salt. Takes tens of milliseconds of processor time.
    ///
    /// # Errors
    /// [`BadPassword`].
    pub fn new(password: &str) -> Result<Hash, BadPassword> {
        let length = password.chars().count();
        if !(SHORTEST..=LONGEST).contains(&length) {
            return Err(BadPassword::Length(length));
        }
        let failed = |error: argon2::password_hash::Error| BadPassword::Unhashable(error.to_string());
        let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(failed)?;
        Ok(Hash(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(failed)?.to_string()))
    }

    /// A hash as it was kept.
    pub fn kept(text: &str) -> Hash {
        Hash(text.to_owned())
    }

    /// As it is kept.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether a password is the one. Takes as long as hashing.
    pub fn matches(&self, password: &str) -> bool {
        password.len() <= 4 * LONGEST
            && PasswordHash::new(&self.0)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
    }

    /// Takes as long as [`Hash::matches`] and is never true: for names that nobody has, so that the time tells nothing.
    pub fn waste(password: &str) -> bool {
        const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$\
                              CFIi4GphqaSwxJ9j3XsjWdUPTlvjcJp0SyKIyBuKrhE";
        let _ = Hash::kept(NOBODY).matches(password);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let (one, two) = (Hash::new("correct horse").unwrap(), Hash::new("correct horse").unwrap());
        assert_ne!(one, two, "salted");
        assert!(one.matches("correct horse") && !one.matches("Correct horse") && !one.matches(""));
        assert!(!Hash::kept("").matches("") && !Hash::kept("plain").matches("plain"));
        assert_eq!(Hash::new("short").unwrap_err(), BadPassword::Length(5));
        assert!(Hash::new(&"x".repeat(1025)).is_err());
    }

    #[test]
    fn wasted_time_is_that_of_a_check() {
        assert!(
            PasswordHash::new(
                "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$CFIi4GphqaSwxJ9j3XsjWdUPTlvjcJp0SyKIyBuKrhE"
            )
            .is_ok()
        );
        assert!(!Hash::waste("anything"));
    }
}
