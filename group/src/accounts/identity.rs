//! From what is shown to who shows it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_store::Store;
use parking_lot::Mutex;

use super::password::Hash;
use super::sessions::Sessions;
use super::tokens::Tokens;
use super::users::{UserRecord, Users};
use crate::error::GroupError;
use crate::rights::{Limits, Principal};

/// The use of a token is noted this often at most.
const NOTED: Duration = Duration::from_secs(60);
/// Of so many tokens it is known when they were noted; beyond that all are noted anew.
const MOST: usize = 10_000;

/// Users and tokens, asked who somebody is.
#[derive(Clone)]
pub struct Accounts {
    users: Users,
    tokens: Tokens,
    sessions: Sessions,
    noted: Arc<Mutex<HashMap<String, Instant>>>,
}

/// Somebody who showed a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// With what they may do.
    pub principal: Principal,
    /// The credential, for the audit log: `token ci (00c0ffee00c0ffee)`.
    pub credential: String,
    /// How long a token is still good; `None`: without an end, or it is that of a login.
    pub expires_s: Option<u64>,
}

/// Somebody who showed the cookie of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InSession {
    /// Who it is.
    pub known: Known,
    /// What a change has to come with: a page of another site cannot know it.
    pub csrf: String,
}

impl Accounts {
    /// The accounts of a store.
    pub fn new(store: Arc<dyn Store>) -> Accounts {
        let (users, tokens) = (Users::new(store.clone()), Tokens::new(store.clone()));
        Accounts { users, tokens, sessions: Sessions::new(store), noted: Arc::default() }
    }

    /// The users.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// The tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The sessions of pages.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Who shows the cookie of a session; `None` when it has ended, its user is gone or has a new password.
    pub async fn by_session(&self, text: &str) -> Result<Option<InSession>, GroupError> {
        let Some(record) = self.sessions.find(text).await? else { return Ok(None) };
        let Some(user) = self.users.find(&record.user).await? else { return Ok(None) };
        if user.id != record.user_id || user.password_changes != record.password_changes {
            return Ok(None);
        }
        let principal = Principal { grants: user.roles(), name: user.name, limits: Limits::default() };
        Ok(Some(InSession {
            known: Known { principal, credential: "session".to_owned(), expires_s: None },
            csrf: record.csrf,
        }))
    }

    /// Who shows a token; `None` when it is not known, revoked or expired, or its user is gone.
    pub async fn by_token(&self, text: &str) -> Result<Option<Known>, GroupError> {
        let Some(record) = self.tokens.find(text).await? else { return Ok(None) };
        let token = record.token;
        let Some(user) = self.users.find(&token.user).await? else { return Ok(None) };
        let of_an_old_password = record.password_changes.is_some_and(|changes| changes != user.password_changes);
        if user.id != record.user_id || of_an_old_password {
            return Ok(None);
        }
        if self.is_to_be_noted(&token.id)
            && let Err(error) = self.tokens.note_use(&token.id).await
        {
            tracing::debug!(token = token.id, "its use was not noted: {error}");
        }
        let expires_s = match token.expires_ms.filter(|_| record.password_changes.is_none()) {
            Some(expires_ms) => Some(expires_ms.saturating_sub(self.tokens.now_ms().await?) / 1_000),
            None => None,
        };
        let limits = Limits { access: token.access, groups: token.groups };
        let principal = Principal { grants: user.roles(), name: user.name, limits };
        Ok(Some(Known { principal, credential: format!("token {} ({})", token.name, token.id), expires_s }))
    }

    /// The user whose password this is. Takes as long for names that nobody has. Blocks a thread that is kept for that.
    pub async fn by_password(&self, name: &str, password: String) -> Result<Option<UserRecord>, GroupError> {
        let user = self.users.find(name).await?;
        let hash = user.as_ref().and_then(UserRecord::hash);
        let check = flotilla_tasks::Task {
            name: "password check",
            owner: "accounts".into(),
            ends: "the hash is computed",
            failure: "the login is refused",
        };
        let checked = check.spawn_blocking(move || match hash {
            Some(hash) => hash.matches(&password),
            None => Hash::waste(&password),
        });
        let right = checked.await.unwrap_or(false);
        Ok(user.filter(|_| right))
    }

    fn is_to_be_noted(&self, id: &str) -> bool {
        let (mut noted, now) = (self.noted.lock(), Instant::now());
        if noted.get(id).is_some_and(|at| now.duration_since(*at) < NOTED) {
            return false;
        }
        if noted.len() >= MOST {
            noted.clear();
        }
        noted.insert(id.to_owned(), now);
        true
    }
}
