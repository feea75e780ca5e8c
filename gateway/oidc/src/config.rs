//! What has to be known of a provider.

use std::path::PathBuf;

use flotilla_flows::shown_url;
use url::{Host, Url};

use crate::error::OidcError;

/// What has to be known of a provider. Everything else it says itself, at `/.well-known/openid-configuration`.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// The provider's URL, as it writes it into its tokens.
    pub issuer: String,
    /// What the provider calls this installation.
    pub client_id: String,
    /// What this installation shows to the provider; public clients have none.
    pub client_secret: Option<String>,
    /// Where the provider sends browsers back to.
    pub redirect: String,
    /// The claim with the user's name.
    pub name_claim: String,
    /// The claim with the user's roles or groups: a text, or a list of texts. A path: `realm_access.roles`.
    pub roles_claim: String,
    /// More scopes than `openid profile email`.
    pub scopes: Vec<String>,
    /// Authority (PEM) of the provider's certificate; without it the public ones.
    pub ca: Option<PathBuf>,
}

impl OidcConfig {
    /// Refuses a provider whose answers anybody on the way could write.
    ///
    /// # Errors
    /// [`OidcError::BadUrl`]: the URLs have to be `https`; `http` is for this machine only.
    pub(crate) fn check(&self) -> Result<(), OidcError> {
        for (field, text) in [("the issuer", &self.issuer), ("the redirect", &self.redirect)] {
            let bad = |reason: String| OidcError::BadUrl { field, url: shown_url(text), reason };
            let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
            let local = match url.host() {
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(ip)) => ip.is_loopback(),
                Some(Host::Ipv6(ip)) => ip.is_loopback(),
                None => return Err(bad("it names no host".to_owned())),
            };
            if url.scheme() != "https" && !(url.scheme() == "http" && local) {
                return Err(bad("use https; http is for loopback only".to_owned()));
            }
        }
        Ok(())
    }
}
