//! The users file: names and password hashes.

use std::path::Path;

use rustc_hash::FxHashMap;

use super::{AuthError, hash::Hash};

/// Users by name, with the hash of their password.
#[derive(Debug, Clone)]
pub struct Users {
    hashes: FxHashMap<String, Hash>,
    /// The one that takes longest to check.
    slowest: Option<Hash>,
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
            let hash = Hash::parse(hash).map_err(|what| (at + 1, format!("the hash of {name:?} {what}")))?;
            if hashes.insert(name.to_owned(), hash).is_some() {
                return Err((at + 1, format!("user {name:?} is there twice")));
            }
        }
        let slowest = hashes.values().max_by_key(|hash| hash.cost()).cloned();
        Ok(Self { hashes, slowest })
    }

    /// Whether `password` is the user's. Slow on purpose: not for a thread that serves others.
    pub fn verify(&self, name: &str, password: &[u8]) -> bool {
        let known = self.hashes.get(name);
        if known.is_some_and(|hash| hash.matches(password)) {
            return true;
        }
        if let Some(decoy) = self.decoy(known) {
            decoy.matches(password);
        }
        false
    }

    /// What is checked besides, in vain, when it failed with `known`: it is then as slow as for any user that there is,
    /// and who asks cannot tell names apart by time.
    fn decoy(&self, known: Option<&Hash>) -> Option<&Hash> {
        self.slowest.as_ref().filter(|slowest| known.is_none_or(|hash| hash.cost() < slowest.cost()))
    }
}

#[cfg(test)]
mod tests {
    use argon2::Argon2;

    use super::*;

    #[test]
    fn both_hashes_verify_and_nothing_else() {
        let bcrypt = bcrypt::hash("secret", 4).unwrap();
        let argon = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0$c29tZXNhbHRzYWx0";
        assert!(Users::parse(&format!("# users\n\nann:{bcrypt}\n")).is_ok());
        let users = Users::parse(&format!("ann:{bcrypt}")).unwrap();
        assert!(users.verify("ann", b"secret"));
        assert!(!users.verify("ann", b"wrong"));
        assert!(!users.verify("bob", b"secret"));
        assert_eq!(Users::parse("ann:plain").unwrap_err().0, 1);
        assert_eq!(Users::parse(&format!("ann:{bcrypt}\nann:{bcrypt}")).unwrap_err().0, 2);
        assert_eq!(Users::parse(&format!("ann {argon}")).unwrap_err().0, 1);
    }

    /// A wrong password takes the slowest hash's time for a user with a quick hash and for nobody, too.
    #[test]
    fn failures_take_the_time_of_the_slowest_hash() {
        let [quick, slow] = [4, 6].map(|cost| bcrypt::hash("secret", cost).unwrap());
        let argon = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNo";
        let users = Users::parse(&format!("quick:{quick}\nslow:{slow}\nargon:{argon}")).unwrap();
        let slow = Hash::parse(&slow).unwrap();
        for (name, decoy) in [("quick", Some(&slow)), ("argon", Some(&slow)), ("nobody", Some(&slow)), ("slow", None)] {
            assert_eq!(users.decoy(users.hashes.get(name)), decoy, "{name}");
            assert!(!users.verify(name, b"wrong"));
        }
        assert!(users.verify("quick", b"secret") && users.verify("slow", b"secret"));
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
