use std::path::Path;

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use rustc_hash::FxHashMap;

use super::AuthError;

/// Users by name, with the hash of their password.
#[derive(Debug, Clone)]
pub struct Users {
    hashes: FxHashMap<String, Box<str>>,
}

impl Users {
    /// Reads `name:hash` lines; the hash is argon2's (`$argon2id$...`) or bcrypt's (`$2b$...`). Empty
    /// lines and those that begin with `#` say nothing.
    pub fn read(path: &Path) -> Result<Self, AuthError> {
        let io = |source| AuthError::Io { setting: "users", path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(io)?;
        Self::parse(&text).map_err(|(line, what)| AuthError::Line { path: path.to_owned(), line, what })
    }

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut hashes = FxHashMap::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, hash) =
                line.split_once(':').ok_or((at + 1, "write name:hash, with an argon2 or bcrypt hash".to_owned()))?;
            let known = if is_bcrypt(hash) { hash.len() == 60 } else { PasswordHash::new(hash).is_ok() };
            if !known {
                return Err((
                    at + 1,
                    format!("the hash of {name:?} is neither argon2's ($argon2id$...) nor bcrypt's ($2b$...)"),
                ));
            }
            if hashes.insert(name.to_owned(), hash.into()).is_some() {
                return Err((at + 1, format!("user {name:?} is there twice")));
            }
        }
        Ok(Self { hashes })
    }

    /// Whether `password` is the user's. Slow on purpose: not for a thread that serves others.
    pub fn verify(&self, name: &str, password: &[u8]) -> bool {
        let Some(hash) = self.hashes.get(name) else {
            // As slow as for a user that there is: who asks cannot tell names apart by time.
            if let Some(other) = self.hashes.values().next() {
                matches(other, password);
            }
            return false;
        };
        matches(hash, password)
    }
}

fn is_bcrypt(hash: &str) -> bool {
    ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix))
}

fn matches(hash: &str, password: &[u8]) -> bool {
    if is_bcrypt(hash) {
        return bcrypt::verify(password, hash).unwrap_or(false);
    }
    PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hashes_verify_and_nothing_else() {
        let bcrypt = bcrypt::hash("secret", 4).unwrap();
        let argon = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$";
        assert!(Users::parse(&format!("# users\n\nann:{bcrypt}\n")).is_ok());
        let users = Users::parse(&format!("ann:{bcrypt}")).unwrap();
        assert!(users.verify("ann", b"secret"));
        assert!(!users.verify("ann", b"wrong"));
        assert!(!users.verify("bob", b"secret"));
        assert_eq!(Users::parse("ann:plain").unwrap_err().0, 1);
        assert_eq!(Users::parse(&format!("ann:{bcrypt}\nann:{bcrypt}")).unwrap_err().0, 2);
        assert_eq!(Users::parse(&format!("ann {argon}")).unwrap_err().0, 1);
    }

    #[test]
    fn an_argon2_hash_verifies() {
        use argon2::password_hash::{PasswordHasher, SaltString};
        let salt = SaltString::from_b64("c29tZXNhbHRzYWx0").unwrap();
        let hash = Argon2::default().hash_password(b"secret", &salt).unwrap().to_string();
        let users = Users::parse(&format!("ann:{hash}")).unwrap();
        assert!(users.verify("ann", b"secret") && !users.verify("ann", b"other"));
    }
}
