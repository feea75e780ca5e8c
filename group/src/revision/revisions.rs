//! Revisions in the store, and which one a group is to run.

use std::sync::Arc;

use bytes::Bytes;
use flotilla_store::{Cas, Expect, Store, Write};

use super::document::Revision;
use crate::error::GroupError;
use crate::keys;

/// Revisions in the store.
#[derive(Clone)]
pub struct Revisions {
    store: Arc<dyn Store>,
    group: String,
}

impl Revisions {
    /// The revisions of a group.
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Revisions, GroupError> {
        keys::check("group name", group)?;
        Ok(Revisions { store, group: group.to_owned() })
    }

    /// Records a revision; recording the same content again changes nothing. Returns its id.
    pub async fn record(&self, revision: &Revision) -> Result<String, GroupError> {
        let id = revision.id();
        let value = serde_json::to_vec(revision).map(Bytes::from).unwrap_or_default();
        self.store.cas(&keys::revision(&id), Expect::Absent, Some(value), Write::default()).await?;
        Ok(id)
    }

    /// A recorded revision.
    pub async fn load(&self, id: &str) -> Result<Revision, GroupError> {
        let key = keys::revision(id);
        let entry = self.store.get(&key).await?.ok_or_else(|| GroupError::NoRevision(id.to_owned()))?;
        serde_json::from_slice(&entry.value).map_err(|error| GroupError::Corrupt {
            what: "a revision",
            key,
            reason: error.to_string(),
        })
    }

    /// The id of the revision that the group is to run.
    pub async fn desired(&self) -> Result<Option<String>, GroupError> {
        let entry = self.store.get(&keys::desired(&self.group)).await?;
        Ok(entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned()))
    }

    /// Sets the revision that the group is to run.
    pub async fn set_desired(&self, id: &str) -> Result<(), GroupError> {
        self.store.set(&keys::desired(&self.group), Bytes::from(id.to_owned()), Write::default()).await?;
        Ok(())
    }

    /// Sets the revision only where the group has none yet. Returns the one that it is to run now.
    pub async fn set_desired_if_none(&self, id: &str) -> Result<String, GroupError> {
        let value = Bytes::from(id.to_owned());
        let key = keys::desired(&self.group);
        match self.store.cas(&key, Expect::Absent, Some(value), Write::default()).await? {
            Cas::Swapped(_) => Ok(id.to_owned()),
            Cas::Conflict(entry) => {
                Ok(entry.map_or_else(|| id.to_owned(), |entry| String::from_utf8_lossy(&entry.value).into_owned()))
            }
        }
    }
}
