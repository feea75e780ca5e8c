//! Signing in with an OpenID provider.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use flotilla_api::access::Grant;
use flotilla_gateway::admin::SignIn;
use flotilla_gateway::oidc::{OidcConfig, Provider};

/// Where the provider sends browsers back to.
const CALLBACK: &str = "/login/oidc/callback";

/// An OpenID provider for the pages of the admin address.
#[derive(Args, Clone, Debug)]
pub struct OidcArgs {
    /// URL of the OpenID provider for sign-in at the admin address, as in its tokens
    #[arg(
        long,
        env = "FLOTILLA_OIDC_ISSUER",
        value_name = "URL",
        requires = "oidc_client_id",
        requires = "oidc_url",
        requires = "oidc_role"
    )]
    oidc_issuer: Option<String>,
    /// Client id of this installation at the provider
    #[arg(long, env = "FLOTILLA_OIDC_CLIENT_ID", value_name = "ID", requires = "oidc_issuer")]
    oidc_client_id: Option<String>,
    /// Client secret of this installation at the provider; give it as a variable, because `ps` shows arguments
    #[arg(
        long,
        env = "FLOTILLA_OIDC_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        requires = "oidc_issuer"
    )]
    oidc_client_secret: Option<String>,
    /// URL of the admin address for browsers; register it with the provider, with /login/oidc/callback appended
    #[arg(long, env = "FLOTILLA_OIDC_URL", value_name = "URL", requires = "oidc_issuer")]
    oidc_url: Option<String>,
    /// A role or group of the provider and the role that it gives here: ops=owner:plant-1; repeat it,
    /// or separate with commas
    #[arg(long, env = "FLOTILLA_OIDC_ROLE", value_name = "THEIRS=ROLE", value_delimiter = ',', value_parser = role, requires = "oidc_issuer")]
    oidc_role: Vec<(String, Grant)>,
    /// Claim with the roles or groups; a path if it is nested: realm_access.roles
    #[arg(long, env = "FLOTILLA_OIDC_ROLES_CLAIM", value_name = "NAME", default_value = "roles")]
    oidc_roles_claim: String,
    /// Claim with the user's name
    #[arg(long, env = "FLOTILLA_OIDC_NAME_CLAIM", value_name = "NAME", default_value = "preferred_username")]
    oidc_name_claim: String,
    /// Scopes to request in addition to openid, profile and email
    #[arg(long, env = "FLOTILLA_OIDC_SCOPE", value_name = "SCOPE", value_delimiter = ',')]
    oidc_scope: Vec<String>,
    /// Authority (PEM) of the provider's certificate [default: the public ones]
    #[arg(long, env = "FLOTILLA_OIDC_CA", value_name = "FILE")]
    oidc_ca: Option<PathBuf>,
}

impl OidcArgs {
    /// The provider; `None` when none is named.
    pub fn load(self) -> anyhow::Result<Option<SignIn>> {
        let (Some(issuer), Some(client_id), Some(url)) = (self.oidc_issuer, self.oidc_client_id, self.oidc_url) else {
            return Ok(None);
        };
        let config = OidcConfig {
            issuer,
            client_id,
            client_secret: self.oidc_client_secret,
            redirect: format!("{}{CALLBACK}", url.trim_end_matches('/')),
            name_claim: self.oidc_name_claim,
            roles_claim: self.oidc_roles_claim,
            scopes: self.oidc_scope,
            ca: self.oidc_ca,
        };
        let provider = Provider::new(config).context("see --oidc-issuer, --oidc-url and --oidc-ca")?;
        Ok(Some(SignIn::new(provider, self.oidc_role)))
    }
}

/// Reads `THEIRS=ROLE`.
fn role(text: &str) -> Result<(String, Grant), String> {
    let (theirs, ours) = text
        .split_once('=')
        .filter(|(theirs, _)| !theirs.is_empty())
        .ok_or_else(|| "write the provider's role, `=`, and ours: ops=owner:plant-1".to_owned())?;
    ours.parse()
        .map(|grant| (theirs.to_owned(), grant))
        .map_err(|error: flotilla_api::access::BadGrant| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_of_the_provider_gives_one_of_ours() {
        let (theirs, ours) = role("plant ops=owner:plant-1").unwrap();
        assert_eq!((theirs.as_str(), ours.to_string().as_str()), ("plant ops", "owner:plant-1"));
        for bad in ["ops", "=admin", "ops=king", "ops="] {
            assert!(role(bad).is_err(), "{bad}");
        }
    }
}
