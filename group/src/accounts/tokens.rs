//! Tokens in the store: `flo_ID_SECRET`, of which the store has the hash.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::access::{MadeToken, NewToken, Token};
use flotilla_store::{Store, Write};
use serde::{Deserialize, Serialize};

use super::secret;
use super::users::UserRecord;
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;

/// What a token's text begins with: scanners for leaked secrets go by it.
const MARK: &str = "flo_";
/// The use of a token is forgotten this long after the last one.
const USE_KEPT: Duration = Duration::from_secs(400 * 24 * 3600);

/// Tokens in the store.
#[derive(Clone)]
pub struct Tokens {
    store: Arc<dyn Store>,
}

/// A token as the store keeps it. It goes away by itself when it expires, on the store's clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TokenRecord {
    pub(super) token: Token,
    /// The user's identifier: another user of that name has another.
    pub(super) user_id: String,
    /// SHA-256 of the token's text, in hex. It has 256 random bits, so that a slow hash would protect nothing more.
    digest: String,
    /// As the user had it when the token was made for a login with a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) password_changes: Option<u64>,
}

/// When a token was last used.
#[derive(Serialize, Deserialize)]
struct Used {
    at_ms: u64,
}

impl Tokens {
    /// The tokens of a store.
    pub fn new(store: Arc<dyn Store>) -> Tokens {
        Tokens { store }
    }

    /// True for what looks like a token of ours.
    pub fn is_one(text: &str) -> bool {
        secret::id_of(MARK, text).is_some()
    }

    /// Makes a token for a user. Its text is in the answer and nowhere else. `for_login`: it is void when the password
    /// changes.
    pub async fn make(&self, user: &UserRecord, new: &NewToken, for_login: bool) -> Result<MadeToken, GroupError> {
        for group in &new.groups {
            keys::check("group name", group)?;
        }
        let now = self.now_ms().await?;
        let (id, secret) = secret::new(MARK);
        let token = Token {
            id: id.clone(),
            name: new.name.clone(),
            user: user.name.clone(),
            access: new.access,
            groups: new.groups.clone(),
            created_ms: now,
            expires_ms: new.expires_s.map(|seconds| now.saturating_add(seconds.saturating_mul(1_000))),
            used_ms: None,
        };
        let password_changes = for_login.then_some(user.password_changes);
        let record = TokenRecord {
            token: token.clone(),
            user_id: user.id.clone(),
            digest: secret::digest(&secret),
            password_changes,
        };
        let write = new.expires_s.map_or_else(Write::default, |seconds| Write::expiring(Duration::from_secs(seconds)));
        self.store.set(&keys::token(&id), keys::encode(&record), write).await?;
        Ok(MadeToken { token, secret })
    }

    /// All tokens, or those of a user, the oldest first.
    pub async fn list(&self, user: Option<&str>) -> Result<Vec<Token>, GroupError> {
        let mut tokens = Vec::new();
        for entry in self.store.list(keys::TOKENS).await? {
            let TokenRecord { mut token, .. } = keys::read("a token", &entry)?;
            if user.is_none_or(|user| user == token.user) {
                token.used_ms = self.used(&token.id).await?;
                tokens.push(token);
            }
        }
        tokens.sort_by_key(|token| token.created_ms);
        Ok(tokens)
    }

    /// A token by its identifier.
    ///
    /// # Errors
    /// [`GroupError::NoToken`].
    pub async fn get(&self, id: &str) -> Result<Token, GroupError> {
        let none = || GroupError::NoToken(id.to_owned());
        keys::check("token id", id).map_err(|_| none())?;
        let entry = self.store.get(&keys::token(id)).await?.ok_or_else(none)?;
        Ok(keys::read::<TokenRecord>("a token", &entry)?.token)
    }

    /// Makes a token void.
    pub async fn revoke(&self, id: &str) -> Result<(), GroupError> {
        self.store.delete(&keys::token(id), None).await?;
        self.store.delete(&keys::token_used(id), None).await?;
        Ok(())
    }

    /// Makes all tokens of a user void.
    pub async fn revoke_all(&self, user: &str) -> Result<(), GroupError> {
        for token in self.list(Some(user)).await? {
            self.revoke(&token.id).await?;
        }
        Ok(())
    }

    /// The record of a token by its text; `None` when it is not known, revoked or expired.
    pub(super) async fn find(&self, text: &str) -> Result<Option<TokenRecord>, GroupError> {
        let Some(id) = secret::id_of(MARK, text) else { return Ok(None) };
        let Some(entry) = self.store.get(&keys::token(id)).await? else { return Ok(None) };
        let record: TokenRecord = keys::read("a token", &entry)?;
        Ok(secret::is(text, &record.digest).then_some(record))
    }

    /// Notes that a token is used now.
    pub(super) async fn note_use(&self, id: &str) -> Result<(), GroupError> {
        let used = keys::encode(&Used { at_ms: self.now_ms().await? });
        self.store.set(&keys::token_used(id), used, Write::expiring(USE_KEPT)).await?;
        Ok(())
    }

    async fn used(&self, id: &str) -> Result<Option<u64>, GroupError> {
        let entry = self.store.get(&keys::token_used(id)).await?;
        entry.map(|entry| Ok(keys::read::<Used>("the use of a token", &entry)?.at_ms)).transpose()
    }

    pub(super) async fn now_ms(&self) -> Result<u64, GroupError> {
        now_ms(&*self.store).await
    }
}
