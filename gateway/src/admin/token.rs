//! The token that opens the admin API to other machines.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Shorter ones can be guessed.
const SHORTEST: usize = 16;

/// What requests show as `Authorization: Bearer TOKEN`.
#[derive(Clone)]
pub struct Token {
    /// Compared instead of the token, so that the time it takes tells nothing about the token.
    digest: [u8; 32],
    /// It opens nothing any more when a user is an admin.
    only_to_begin: bool,
}

/// A token that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It can be guessed.
    #[error("the admin token has {0} characters: use {SHORTEST} or more, for example from `openssl rand -hex 24`")]
    Short(usize),
    /// It cannot stand in a header.
    #[error(
        "the admin token has a character that is not allowed in an HTTP header: use printable ASCII without spaces"
    )]
    Unprintable,
}

impl Token {
    /// A token.
    ///
    /// # Errors
    /// When it is shorter than 16 characters, or has others than printable ASCII.
    pub fn new(token: &str) -> Result<Token, TokenError> {
        let length = token.chars().count();
        if length < SHORTEST {
            return Err(TokenError::Short(length));
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Unprintable);
        }
        Ok(Token { digest: digest(token), only_to_begin: false })
    }

    /// The same, until a user is an admin: after that people log in.
    pub fn only_to_begin(self) -> Token {
        Token { only_to_begin: true, ..self }
    }

    /// Whether it is void once a user is an admin.
    pub(super) fn is_only_to_begin(&self) -> bool {
        self.only_to_begin
    }

    /// Whether this is it.
    pub fn is(&self, shown: &str) -> bool {
        digest(shown).ct_eq(&self.digest).into()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_can_be_guessed_or_not_be_sent_is_refused() {
        assert!(matches!(Token::new("secret"), Err(TokenError::Short(6))));
        assert!(matches!(Token::new("0123456789 abcdef"), Err(TokenError::Unprintable)));
    }
}
