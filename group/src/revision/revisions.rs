//! Revisions in the store, and which ones a group was given.

use std::sync::Arc;

use flotilla_api::revision::Given;
use flotilla_store::{Expect, Store, Write};

use super::document::Revision;
use crate::clock::now_ms;
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
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Revisions, GroupError> {
        keys::check("group name", group)?;
        Ok(Revisions { store, group: group.to_owned() })
    }

    /// Records a revision and that the group was given it; recording the same content again changes only the latter.
    /// Returns its id.
    pub async fn record(&self, revision: &Revision, actor: &str) -> Result<String, GroupError> {
        let id = revision.id();
        let value = keys::encode(revision);
        self.store.cas(&keys::revision(&id), Expect::Absent, Some(value), Write::default()).await?;
        let given = Given {
            id: id.clone(),
            time_ms: now_ms(&*self.store).await?,
            actor: actor.to_owned(),
            message: revision.message.clone(),
            nodes: revision.flows.as_array().map_or(0, Vec::len),
        };
        let value = keys::encode(&given);
        self.store.set(&keys::given(&self.group, &id), value, Write::default()).await?;
        Ok(id)
    }

    /// Keeps the content of a revision that no group was given.
    pub async fn keep(&self, revision: &Revision) -> Result<String, GroupError> {
        let id = revision.id();
        self.store.cas(&keys::revision(&id), Expect::Absent, Some(keys::encode(revision)), Write::default()).await?;
        Ok(id)
    }

    /// The tests that belong to a revision: the content of their file.
    pub async fn tests(&self, id: &str) -> Result<Option<String>, GroupError> {
        let entry = self.store.get(&keys::revision_tests(id)).await?;
        Ok(entry.map(|entry| String::from_utf8_lossy(&entry.value).into_owned()))
    }

    /// Gives a revision its tests.
    pub async fn set_tests(&self, id: &str, tests: &str) -> Result<(), GroupError> {
        let value = bytes::Bytes::from(tests.to_owned());
        self.store.set(&keys::revision_tests(id), value, Write::default()).await?;
        Ok(())
    }

    /// When the group was given a revision, and by whom.
    pub async fn given(&self, id: &str) -> Result<Option<Given>, GroupError> {
        let entry = self.store.get(&keys::given(&self.group, id)).await?;
        entry.map(|entry| keys::read("a group's revision", &entry)).transpose()
    }

    /// Takes a revision off the list of those that the group was given: its deploy was refused. Its content stays, as
    /// another group may have been given the same.
    pub async fn forget(&self, id: &str) -> Result<(), GroupError> {
        self.store.delete(&keys::given(&self.group, id), None).await?;
        Ok(())
    }

    /// A recorded revision.
    ///
    /// # Errors
    /// [`GroupError::NoRevision`].
    pub async fn load(&self, id: &str) -> Result<Revision, GroupError> {
        let entry = self.store.get(&keys::revision(id)).await?.ok_or_else(|| GroupError::NoRevision(id.to_owned()))?;
        keys::read("a revision", &entry)
    }

    /// The revisions that the group was given, oldest first.
    pub async fn list(&self) -> Result<Vec<Given>, GroupError> {
        let entries = self.store.list(&keys::history(&self.group)).await?;
        let mut list: Vec<Given> =
            entries.iter().map(|entry| keys::read("a group's revision", entry)).collect::<Result<_, _>>()?;
        list.sort_by_key(|given| given.time_ms);
        Ok(list)
    }

    /// The full id of a revision of this group that begins so.
    ///
    /// # Errors
    /// [`GroupError::NoRevision`] when none or several begin so.
    pub async fn resolve(&self, start: &str) -> Result<String, GroupError> {
        let list = self.list().await?;
        let mut fits = list.into_iter().filter(|given| !start.is_empty() && given.id.starts_with(start));
        match (fits.next(), fits.next()) {
            (Some(one), None) => Ok(one.id),
            _ => Err(GroupError::NoRevision(start.to_owned())),
        }
    }
}
