//! A provider, asked to say who somebody is.

use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse, TokenResponse,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::OidcConfig;
use crate::error::OidcError;
use crate::identity::{Claims, Identity, text, texts};
use crate::transport::Transport;

/// How long what a provider says of itself is believed: its keys change.
const FRESH: Duration = Duration::from_secs(300);

type Fields = IdTokenFields<
    Claims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
/// A client as discovery makes it: [`openidconnect::core::CoreClient`] with all claims.
type Discovered = Client<
    Claims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider. It is asked for its endpoints and keys when somebody signs in, and believed for five minutes; a token that
/// is signed with a key that was not known has it asked anew.
pub struct Provider {
    config: OidcConfig,
    transport: Transport,
    known: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

/// A sign-in that begins.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What the provider hands back, and nobody else knows.
    pub state: String,
    /// What is to be kept until the browser comes back.
    pub pending: Pending,
}

/// What is kept of a sign-in until the browser comes back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    nonce: String,
    verifier: String,
}

impl Provider {
    /// Nothing is asked yet: a provider that is away keeps no gateway from starting.
    ///
    /// # Errors
    /// [`OidcError::BadUrl`], [`OidcError::BadFile`].
    pub fn new(config: OidcConfig) -> Result<Provider, OidcError> {
        config.check()?;
        let transport = Transport::new(config.ca.as_deref())?;
        Ok(Provider { config, transport, known: Mutex::default() })
    }

    /// The provider's URL.
    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// True when browsers reach this installation over TLS, of its own or of a proxy in front of it.
    pub fn is_reached_by_tls(&self) -> bool {
        self.config.redirect.starts_with("https:")
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    /// [`OidcError::Provider`].
    pub async fn begin(&self) -> Result<Begun, OidcError> {
        let client = self.client(false).await?.set_redirect_uri(self.redirect()?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
            .add_scope(Scope::new("profile".to_owned()))
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge);
        for scope in &self.config.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.url();
        let pending = Pending { nonce: nonce.secret().clone(), verifier: verifier.secret().clone() };
        Ok(Begun { url: url.into(), state: state.into_secret(), pending })
    }

    /// Who came back with this code.
    ///
    /// # Errors
    /// [`OidcError::Refused`], [`OidcError::BadToken`], [`OidcError::NoClaim`], [`OidcError::Provider`].
    pub async fn finish(&self, code: String, pending: Pending) -> Result<Identity, OidcError> {
        let client = self.client(false).await?.set_redirect_uri(self.redirect()?);
        let transport = self.transport.clone();
        let send = move |request| transport.clone().send(request);
        let exchange = client.exchange_code(AuthorizationCode::new(code)).map_err(|error| self.unusable(&error))?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(pending.verifier));
        let answer = exchange.request_async(&send).await.map_err(|error| OidcError::Refused(whole(&error)))?;
        let token = answer.id_token().ok_or_else(|| OidcError::BadToken("there is no id_token".to_owned()))?;
        let nonce = Nonce::new(pending.nonce);
        let claims = match token.claims(&client.id_token_verifier(), &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                // The provider may have a new key.
                let again = self.client(true).await?;
                token.claims(&again.id_token_verifier(), &nonce).cloned()
            }
            result => result.cloned(),
        };
        let claims = claims.map_err(|error| OidcError::BadToken(whole(&error)))?;
        let mut all = json!(claims);
        if let Value::Object(all) = &mut all {
            all.extend(claims.additional_claims().all.clone());
        }
        Ok(Identity {
            issuer: self.config.issuer.clone(),
            subject: claims.subject().to_string(),
            name: text(&all, &self.config.name_claim)?,
            roles: texts(&all, &self.config.roles_claim),
        })
    }

    async fn client(&self, anew: bool) -> Result<Discovered, OidcError> {
        let known =
            self.known.lock().as_ref().filter(|(at, _)| !anew && at.elapsed() < FRESH).map(|(_, known)| known.clone());
        let metadata = match known {
            Some(known) => known,
            None => {
                let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(|error| self.unusable(&error))?;
                let transport = self.transport.clone();
                let send = move |request| transport.clone().send(request);
                let found = CoreProviderMetadata::discover_async(issuer, &send).await;
                let found = found.map_err(|error| self.unusable(&error))?;
                *self.known.lock() = Some((Instant::now(), found.clone()));
                found
            }
        };
        let secret = self.config.client_secret.clone().map(ClientSecret::new);
        Ok(Client::from_provider_metadata(metadata, ClientId::new(self.config.client_id.clone()), secret))
    }

    fn redirect(&self) -> Result<RedirectUrl, OidcError> {
        RedirectUrl::new(self.config.redirect.clone()).map_err(|error| OidcError::BadUrl {
            field: "the redirect",
            url: self.config.redirect.clone(),
            reason: error.to_string(),
        })
    }

    fn unusable(&self, error: &dyn std::error::Error) -> OidcError {
        OidcError::Provider { issuer: self.config.issuer.clone(), reason: whole(error) }
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.config.issuer).finish_non_exhaustive()
    }
}

/// An error with its causes.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
