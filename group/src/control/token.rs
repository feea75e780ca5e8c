//! What a gateway shows to a replica, so that nobody else looks into it.

use std::sync::Arc;

use bytes::Bytes;
use flotilla_store::{Cas, Entry, Expect, Store, Write};

use crate::error::GroupError;
use crate::keys;

/// A group's control token: made once, kept in the store. Who can read the store can do all that it opens anyway; a flow, and
/// others who reach a replica's address, cannot.
pub struct ControlTokens {
    store: Arc<dyn Store>,
    key: String,
}

impl ControlTokens {
    /// That of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<ControlTokens, GroupError> {
        keys::check("group name", group)?;
        Ok(ControlTokens { store, key: keys::control(group) })
    }

    /// The token; `None` while no replica ever was in the group.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn get(&self) -> Result<Option<String>, GroupError> {
        Ok(self.store.get(&self.key).await?.map(text))
    }

    /// The token. When there is none yet it is `fresh`, which must not be guessable.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn get_or_make(&self, fresh: &str) -> Result<String, GroupError> {
        if let Some(token) = self.get().await? {
            return Ok(token);
        }
        let made = Bytes::from(fresh.to_owned());
        Ok(match self.store.cas(&self.key, Expect::Absent, Some(made), Write::default()).await? {
            Cas::Conflict(Some(entry)) => text(entry),
            Cas::Swapped(_) | Cas::Conflict(None) => fresh.to_owned(),
        })
    }
}

fn text(entry: Entry) -> String {
    String::from_utf8_lossy(&entry.value).into_owned()
}
