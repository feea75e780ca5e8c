//! Sessions of pages: what a browser shows as a cookie.

use std::sync::Arc;
use std::time::Duration;

use flotilla_store::{Expect, Store, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::users::UserRecord;
use super::{random, secret};
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;

/// What a session's text begins with.
const MARK: &str = "flses_";
/// A session that is not used for this long ends.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// A session ends after this, however much it is used.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// The use of a session is noted this often at most.
const NOTED: Duration = Duration::from_secs(60);
/// How long a browser may take at the provider.
const SIGN_IN: Duration = Duration::from_secs(10 * 60);

/// The sessions of a store. They go away by themselves: 30 minutes after their last use, 12 hours after they began.
#[derive(Clone)]
pub struct Sessions {
    store: Arc<dyn Store>,
}

/// A session that has just begun.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the browser shows; the store has the hash of it.
    pub secret: String,
    /// How long it lasts at most.
    pub longest: Duration,
}

/// A session as the store keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SessionRecord {
    pub(super) user: String,
    pub(super) user_id: String,
    pub(super) password_changes: u64,
    /// What forms and scripts of our own pages send with a change: other sites cannot know it.
    pub(super) csrf: String,
    digest: String,
    seen_ms: u64,
    ends_ms: u64,
}

impl Sessions {
    /// The sessions of a store.
    pub fn new(store: Arc<dyn Store>) -> Sessions {
        Sessions { store }
    }

    /// Begins a session of a user.
    pub async fn open(&self, user: &UserRecord) -> Result<Opened, GroupError> {
        let now = now_ms(&*self.store).await?;
        let (id, secret) = secret::new(MARK);
        let record = SessionRecord {
            user: user.name.clone(),
            user_id: user.id.clone(),
            password_changes: user.password_changes,
            csrf: random::secret(),
            digest: secret::digest(&secret),
            seen_ms: now,
            ends_ms: now.saturating_add(LONGEST.as_millis() as u64),
        };
        self.store.set(&keys::page_session(&id), keys::encode(&record), Write::expiring(IDLE)).await?;
        Ok(Opened { secret, longest: LONGEST })
    }

    /// The session with this text; `None` when it has ended. That it is used is noted.
    pub(super) async fn find(&self, text: &str) -> Result<Option<SessionRecord>, GroupError> {
        let Some(id) = secret::id_of(MARK, text) else { return Ok(None) };
        let key = keys::page_session(id);
        let Some(entry) = self.store.get(&key).await? else { return Ok(None) };
        let mut record: SessionRecord = keys::read("a session of a page", &entry)?;
        let now = now_ms(&*self.store).await?;
        if !secret::is(text, &record.digest) || now >= record.ends_ms {
            return Ok(None);
        }
        if now.saturating_sub(record.seen_ms) >= NOTED.as_millis() as u64 {
            record.seen_ms = now;
            let left = IDLE.min(Duration::from_millis(record.ends_ms - now));
            let (expected, value) = (Expect::Version(entry.version), Some(keys::encode(&record)));
            // Another request may have noted it, or ended the session: that is not undone.
            self.store.cas(&key, expected, value, Write::expiring(left)).await?;
        }
        Ok(Some(record))
    }

    /// Ends a session.
    pub async fn close(&self, text: &str) -> Result<(), GroupError> {
        if let Some(id) = secret::id_of(MARK, text) {
            self.store.delete(&keys::page_session(id), None).await?;
        }
        Ok(())
    }

    /// Keeps what is to be known when a browser comes back from a provider, for ten minutes.
    pub async fn keep_sign_in(&self, state: &str, pending: &impl Serialize) -> Result<(), GroupError> {
        let key = keys::sign_in(&secret::digest(state));
        self.store.set(&key, keys::encode(pending), Write::expiring(SIGN_IN)).await?;
        Ok(())
    }

    /// Gives that back, once.
    pub async fn take_sign_in<T: DeserializeOwned>(&self, state: &str) -> Result<Option<T>, GroupError> {
        let key = keys::sign_in(&secret::digest(state));
        let Some(entry) = self.store.get(&key).await? else { return Ok(None) };
        let taken = self.store.cas(&key, Expect::Version(entry.version), None, Write::default()).await?;
        if !taken.is_swapped() {
            return Ok(None);
        }
        keys::read("a sign-in", &entry).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Accounts, Hash};
    use crate::test_store;

    async fn accounts() -> (tempfile::TempDir, Accounts) {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        (folder, Accounts::new(store))
    }

    #[tokio::test]
    async fn a_session_is_its_user_s_until_it_is_closed_or_the_password_changes() {
        let (_folder, accounts) = accounts().await;
        let ann = accounts.users().add("ann", Vec::new(), None).await.unwrap();
        let (one, other) =
            (accounts.sessions().open(&ann).await.unwrap(), accounts.sessions().open(&ann).await.unwrap());
        let found = accounts.by_session(&one.secret).await.unwrap().unwrap();
        assert_eq!(found.known.principal.name, "ann");
        assert!(!one.secret.contains(&found.csrf));
        let forged = one.secret.replace(&one.secret[30..], &other.secret[30..]);
        assert!(accounts.by_session(&forged).await.unwrap().is_none());
        assert!(accounts.by_token(&one.secret).await.unwrap().is_none(), "it is no token");
        accounts.sessions().close(&one.secret).await.unwrap();
        assert!(accounts.by_session(&one.secret).await.unwrap().is_none());
        accounts.users().set_password("ann", &Hash::new("a long password").unwrap()).await.unwrap();
        assert!(accounts.by_session(&other.secret).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_session_ends_when_it_is_not_used_and_after_twelve_hours() {
        let (_folder, accounts) = accounts().await;
        let ann = accounts.users().add("ann", Vec::new(), None).await.unwrap();
        let sessions = accounts.sessions();
        let opened = sessions.open(&ann).await.unwrap();
        let key = keys::page_session(secret::id_of(MARK, &opened.secret).unwrap());
        let left = async || {
            let expires = sessions.store.get(&key).await.unwrap().unwrap().expires.unwrap();
            expires.duration_since(sessions.store.now().await.unwrap()).unwrap()
        };
        // The two clocks of SQLite may be apart: the machine's is set by others.
        assert!(left().await < IDLE + Duration::from_secs(5) && left().await > IDLE / 2);
        let change = async |change: &dyn Fn(&mut SessionRecord)| {
            let entry = sessions.store.get(&key).await.unwrap().unwrap();
            let mut record: SessionRecord = keys::read("", &entry).unwrap();
            change(&mut record);
            sessions.store.set(&key, keys::encode(&record), Write::expiring(IDLE / 2)).await.unwrap();
        };
        change(&|record| record.seen_ms -= 120_000).await;
        assert!(accounts.by_session(&opened.secret).await.unwrap().is_some());
        assert!(left().await > IDLE / 2, "its use is noted");
        change(&|record| record.ends_ms = record.seen_ms).await;
        assert!(accounts.by_session(&opened.secret).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_sign_in_is_taken_once() {
        let (_folder, accounts) = accounts().await;
        accounts.sessions().keep_sign_in("state", &7).await.unwrap();
        assert_eq!(accounts.sessions().take_sign_in::<u8>("other").await.unwrap(), None);
        assert_eq!(accounts.sessions().take_sign_in::<u8>("state").await.unwrap(), Some(7));
        assert_eq!(accounts.sessions().take_sign_in::<u8>("state").await.unwrap(), None);
    }
}
