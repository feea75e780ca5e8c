//! The token that opens the admin API to other machines.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use flotilla_api::Problem;
use sha2::{Digest, Sha256};

/// Shorter ones can be guessed.
const SHORTEST: usize = 16;

/// What requests show as `Authorization: Bearer TOKEN`.
#[derive(Clone)]
pub struct Token {
    /// Compared instead of the token, so that the time it takes tells nothing about the token.
    digest: [u8; 32],
}

/// A token that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It can be guessed.
    #[error("the admin token has {0} characters: use {SHORTEST} or more, for example from `openssl rand -hex 24`")]
    Short(usize),
    /// It cannot stand in a header.
    #[error("the admin token has a character that cannot stand in an HTTP header: use printable ASCII without blanks")]
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
        Ok(Token { digest: digest(token) })
    }

    /// Refuses a request that does not show the token.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown =
            shown.and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        match shown {
            Some((_, token)) if digest(token.trim()) == self.digest => Ok(()),
            Some(_) => Err(Problem::new(401, "wrong_token", "this is not the admin token of this gateway")),
            None => {
                let detail = "this gateway asks for its admin token: send Authorization: Bearer TOKEN; flotilla takes it \
                              from FLOTILLA_ADMIN_TOKEN";
                Err(Problem::new(401, "no_token", detail))
            }
        }
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().expect("a header value"))])
    }

    #[test]
    fn only_the_token_itself_passes() {
        let token = Token::new("0123456789abcdef").expect("long enough");
        assert!(token.check(&headers("Bearer 0123456789abcdef")).is_ok());
        assert!(token.check(&headers("bearer 0123456789abcdef")).is_ok());
        for wrong in ["Bearer 0123456789abcdeg", "Bearer ", "Bearer", "Basic 0123456789abcdef", "0123456789abcdef"] {
            assert_eq!(token.check(&headers(wrong)).map_err(|problem| problem.status), Err(401), "{wrong}");
        }
        assert_eq!(token.check(&HeaderMap::new()).map_err(|problem| problem.code), Err("no_token".into()));
    }

    #[test]
    fn a_token_that_can_be_guessed_or_not_be_sent_is_refused() {
        assert!(matches!(Token::new("secret"), Err(TokenError::Short(6))));
        assert!(matches!(Token::new("0123456789 abcdef"), Err(TokenError::Unprintable)));
    }
}
