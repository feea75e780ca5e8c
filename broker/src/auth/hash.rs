//! Password hashes: argon2 and bcrypt.

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordVerifier, Version};

use super::error::AuthError;

/// The argon2id hash of a password with a new salt, as a users file takes it.
///
/// ```
/// let hash = flotilla_broker::hash_password("secret").unwrap();
/// assert!(hash.starts_with("$argon2id$"));
/// assert_ne!(hash, flotilla_broker::hash_password("secret").unwrap());
/// ```
///
/// # Errors
/// [`AuthError::Unhashable`] when the password is longer than argon2 takes.
pub fn hash_password(password: &str) -> Result<String, AuthError> {
    let unhashable = |error: argon2::password_hash::Error| AuthError::Unhashable { reason: error.to_string() };
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(unhashable)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(unhashable)?.to_string())
}

/// A password's hash that can be verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hash {
    text: Box<str>,
    kind: Kind,
    /// About the microseconds that one check takes.
    cost: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Argon2,
    Bcrypt,
}

/// Characters of bcrypt's base64, by value.
const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// Of a salt and a hash; their last characters hold fewer than six bits.
const LENGTHS: (usize, usize) = (22, 31);

impl Hash {
    /// What is wrong is said as the end of a sentence about the hash.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (kind, cost) = if text.starts_with("$2") {
            (Kind::Bcrypt, bcrypt(text)?)
        } else if text.starts_with("$argon2") {
            (Kind::Argon2, argon2(text)?)
        } else {
            return Err("is neither argon2's ($argon2id$...) nor bcrypt's ($2b$...)".to_owned());
        };
        Ok(Self { text: text.into(), kind, cost })
    }

    pub(super) fn cost(&self) -> u64 {
        self.cost
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        match self.kind {
            Kind::Bcrypt => bcrypt::verify(password, &self.text).unwrap_or(false),
            Kind::Argon2 => PasswordHash::new(&self.text)
                .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok()),
        }
    }
}

/// The cost of `$2b$NN$` with 22 characters of salt and 31 of hash.
fn bcrypt(text: &str) -> Result<u64, String> {
    let wrong =
        |what: &str| format!("is not a whole bcrypt hash ({what}): write what a bcrypt tool printed, 60 characters");
    let known = ["$2a$", "$2b$", "$2x$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let (rounds, rest) = known.and_then(|rest| rest.split_once('$')).ok_or_else(|| wrong("it begins otherwise"))?;
    let rounds = rounds.parse::<u32>().ok().filter(|cost| rounds.len() == 2 && (4..=31).contains(cost));
    let rounds = rounds.ok_or_else(|| wrong("its cost is not 04 to 31"))?;
    if rest.len() != LENGTHS.0 + LENGTHS.1 {
        return Err(wrong("it has another length"));
    }
    let values: Option<Vec<usize>> =
        rest.bytes().map(|byte| ALPHABET.iter().position(|known| *known == byte)).collect();
    let values = values.ok_or_else(|| wrong("it has other characters"))?;
    // 128 bits of salt and 184 of hash: what the last characters have beyond them is never set.
    if values[LENGTHS.0 - 1] % 16 != 0 || values[values.len() - 1] % 4 != 0 {
        return Err(wrong("its last characters cannot be"));
    }
    Ok(55 << rounds)
}

fn argon2(text: &str) -> Result<u64, String> {
    let wrong = |what: &dyn std::fmt::Display| {
        format!("is not a whole argon2 hash ({what}): write what an argon2 tool printed, with its salt and hash")
    };
    let hash = PasswordHash::new(text).map_err(|error| wrong(&error))?;
    Algorithm::try_from(hash.algorithm).map_err(|error| wrong(&error))?;
    let params = Params::try_from(&hash).map_err(|error| wrong(&error))?;
    if let Some(version) = hash.version {
        Version::try_from(version).map_err(|error| wrong(&error))?;
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(wrong(&"a part is missing"));
    }
    Ok(u64::from(params.m_cost()) * u64::from(params.t_cost()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARGON: &str = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0$";

    #[test]
    fn what_nobody_could_log_in_with_is_no_hash() {
        let xs = format!("$2b$10${}", "x".repeat(53));
        let long = format!("{}A", ::bcrypt::hash("secret", 4).unwrap());
        for bad in [
            "plain",
            "$pbkdf2-sha256$i=600000$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
            ARGON.trim_end_matches('$'),
            "$argon2id$v=19$m=64,t=1,p=1",
            "$argon2id$v=17$m=64,t=1,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNo",
            "$argon2id$v=19$m=1,t=0,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNo",
            "$argon2x$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNo",
            &xs,
            &long,
            "$2b$99$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
            "$2b$4$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
            "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WI-W",
        ] {
            assert!(Hash::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_hashed_here_is_matched_and_salted() {
        let (one, two) = (hash_password("secret").unwrap(), hash_password("secret").unwrap());
        assert_ne!(one, two);
        let hash = Hash::parse(&one).unwrap();
        assert!(hash.matches(b"secret") && !hash.matches(b"Secret"));
    }

    /// Whatever the libraries make is taken.
    #[test]
    fn what_tools_make_is_taken() {
        for round in 0..20 {
            let hash = Hash::parse(&::bcrypt::hash(format!("secret{round}"), 4).unwrap()).unwrap();
            assert!(hash.matches(format!("secret{round}").as_bytes()) && !hash.matches(b"other"));
        }
        let salt = SaltString::from_b64("c29tZXNhbHRzYWx0").unwrap();
        for algorithm in [Algorithm::Argon2d, Algorithm::Argon2i, Algorithm::Argon2id] {
            let argon = Argon2::new(algorithm, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
            let text = argon.hash_password(b"secret", &salt).unwrap().to_string();
            let hash = Hash::parse(&text).unwrap();
            assert!(hash.matches(b"secret") && !hash.matches(b"other"), "{text}");
            assert!(hash.cost() < Hash::parse(&::bcrypt::hash("x", 4).unwrap()).unwrap().cost());
        }
    }
}
