//! What can go wrong on the way.

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// A setting is no usable URL.
    #[error("{field} \"{url}\" cannot be used: {reason}")]
    BadUrl {
        /// Which.
        field: &'static str,
        /// As it was given.
        url: String,
        /// Why.
        reason: String,
    },
    /// The file with the provider's authority.
    #[error("{file}: {reason}")]
    BadFile {
        /// Its path.
        file: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// The provider did not answer, or answered something else than OpenID Connect asks for.
    #[error("the provider {issuer} cannot be used: {reason}")]
    Provider {
        /// The provider.
        issuer: String,
        /// Why.
        reason: String,
    },
    /// The provider refused the code.
    #[error("the provider refused the sign-in: {0}")]
    Refused(String),
    /// Its token is not for us, not for this sign-in, expired, or signed by somebody else.
    #[error("the provider's token is not valid: {0}")]
    BadToken(String),
    /// Its token lacks what makes a user.
    #[error("the provider's token has no claim \"{0}\"")]
    NoClaim(String),
}
