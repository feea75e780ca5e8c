//! Sign-in with an OpenID Connect provider: the authorization code flow with PKCE, by discovery.

mod config;
mod error;
mod identity;
mod provider;
mod transport;

pub use config::OidcConfig;
pub use error::OidcError;
pub use identity::Identity;
pub use provider::{Begun, Pending, Provider};
