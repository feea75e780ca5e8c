//! Revisions in the store, and which ones a group was given.

use std::sync::Arc;

use bytes::Bytes;
use flotilla_api::revision::Given;
use flotilla_store::{Entry, Expect, Store, Write};

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

/// A revision that this process has recorded, and the text that it wrote.
#[derive(Debug)]
pub struct Recorded {
    /// Its id.
    pub id: String,
    text: Bytes,
    revision: Revision,
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
        self.give(&id, revision, keys::encode(revision), actor).await?;
        Ok(id)
    }

    /// As [`Revisions::record`], for a process that runs the revision itself: see [`Revisions::load_recorded`].
    ///
    /// # Errors
    /// As [`Revisions::record`].
    pub async fn record_own(&self, mut revision: Revision, actor: &str) -> Result<Recorded, GroupError> {
        let (id, text) = revision.id_and_record();
        self.give(&id, &revision, text.clone(), actor).await?;
        Ok(Recorded { id, text, revision })
    }

    async fn give(&self, id: &str, revision: &Revision, text: Bytes, actor: &str) -> Result<(), GroupError> {
        self.store.cas(&keys::revision(id), Expect::Absent, Some(text), Write::default()).await?;
        let given = Given {
            id: id.to_owned(),
            time_ms: now_ms(&*self.store).await?,
            actor: actor.to_owned(),
            message: revision.message.clone(),
            nodes: revision.flows.as_array().map_or(0, Vec::len),
        };
        let value = keys::encode(&given);
        self.store.set(&keys::given(&self.group, id), value, Write::default()).await?;
        Ok(())
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
        let value = Bytes::from(tests.to_owned());
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
        keys::read_large("a revision", &self.entry(id).await?)
    }

    /// As [`Revisions::load`], by a process that has just recorded one: when the store has this very text it is not read once
    /// more. Another process may have sealed the credentials anew meanwhile, or had recorded the revision before.
    ///
    /// # Errors
    /// As [`Revisions::load`].
    pub async fn load_recorded(&self, id: &str, recorded: Recorded) -> Result<Revision, GroupError> {
        let entry = self.entry(id).await?;
        if recorded.id == id && recorded.text == entry.value {
            return Ok(recorded.revision);
        }
        keys::read_large("a revision", &entry)
    }

    async fn entry(&self, id: &str) -> Result<Entry, GroupError> {
        self.store.get(&keys::revision(id)).await?.ok_or_else(|| GroupError::NoRevision(id.to_owned()))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn what_was_recorded_is_what_the_store_has_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::test_store::open(&folder).await;
        let revisions = Revisions::new(store.clone(), "g").unwrap();
        let flows = json!([{"id": "a", "type": "tab", "n": 1.0, "text": "\"ü\n"}]);
        let revision = Revision { flows, credentials: json!({"$": "one"}), ..Revision::default() };
        let own = revisions.record_own(revision.clone(), "somebody").await.unwrap();
        let id = own.id.clone();
        assert_eq!((id.as_str(), revisions.list().await.unwrap()[0].nodes), (revision.id().as_str(), 1));
        assert_eq!(revisions.load(&id).await.unwrap(), revision);
        assert_eq!(revisions.load_recorded(&id, own).await.unwrap(), revision);

        // Sealed anew by another process, under the same id.
        let own = revisions.record_own(revision.clone(), "somebody").await.unwrap();
        let mut anew = revision.clone();
        anew.seal_anew(json!({"$": "two"}));
        store.set(&keys::revision(&id), keys::encode(&anew), Write::default()).await.unwrap();
        assert_eq!(revisions.load_recorded(&id, own).await.unwrap(), anew);

        let other = Revision { env: [("A".to_owned(), "1".to_owned())].into(), ..revision.clone() };
        let own = revisions.record_own(revision, "somebody").await.unwrap();
        let id = revisions.record(&other, "somebody").await.unwrap();
        assert_eq!(revisions.load_recorded(&id, own).await.unwrap(), other);
    }
}
