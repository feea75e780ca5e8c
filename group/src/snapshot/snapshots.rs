//! A group's snapshots in the store.

use std::sync::Arc;

use flotilla_api::snapshot::Snapshot;
use flotilla_store::{Store, Write};

use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;

/// A name has so many characters at most.
const LONGEST: usize = 200;

/// A group's snapshots in the store.
#[derive(Clone)]
pub struct Snapshots {
    store: Arc<dyn Store>,
    group: String,
}

impl Snapshots {
    /// The snapshots of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Snapshots, GroupError> {
        keys::check("group name", group)?;
        Ok(Snapshots { store, group: group.to_owned() })
    }

    /// Gives a recorded revision a name.
    ///
    /// # Errors
    /// [`GroupError::Invalid`] for a name that is empty, too long, or a number, which names a snapshot by itself.
    pub async fn add(
        &self,
        name: &str,
        description: &str,
        revision: &str,
        actor: &str,
    ) -> Result<Snapshot, GroupError> {
        self.add_for(name, description, revision, actor, "").await
    }

    /// The same for a run of a pipeline, which finds it by the run's id.
    pub async fn add_for(
        &self,
        name: &str,
        description: &str,
        revision: &str,
        actor: &str,
        run: &str,
    ) -> Result<Snapshot, GroupError> {
        let name = name.trim();
        let bad = name.is_empty() || name.chars().count() > LONGEST || name.chars().all(|c| c.is_ascii_digit());
        if bad {
            let reason = format!("name \"{name}\" must have 1 to {LONGEST} characters and not only digits");
            return Err(GroupError::Invalid { field: "name", reason });
        }
        let id = self.store.incr(&keys::snapshot_count(&self.group), 1.0).await? as u64;
        let snapshot = Snapshot {
            id,
            name: name.to_owned(),
            description: description.to_owned(),
            revision: revision.to_owned(),
            time_ms: now_ms(&*self.store).await?,
            actor: actor.to_owned(),
            run: run.to_owned(),
        };
        self.store.set(&keys::snapshot(&self.group, id), keys::encode(&snapshot), Write::default()).await?;
        Ok(snapshot)
    }

    /// All of them, oldest first.
    pub async fn list(&self) -> Result<Vec<Snapshot>, GroupError> {
        let entries = self.store.list(&keys::snapshots(&self.group)).await?;
        let mut list: Vec<Snapshot> =
            entries.iter().map(|entry| keys::read("a snapshot", entry)).collect::<Result<_, _>>()?;
        list.sort_by_key(|snapshot| snapshot.id);
        Ok(list)
    }

    /// The snapshot of a number, or the last one of a name.
    ///
    /// # Errors
    /// [`GroupError::NoSuch`].
    pub async fn find(&self, which: &str) -> Result<Snapshot, GroupError> {
        let list = self.list().await?;
        let found = list.into_iter().rev().find(|snapshot| snapshot.id.to_string() == which || snapshot.name == which);
        found.ok_or_else(|| GroupError::NoSuch {
            code: "no_such_snapshot",
            what: format!("group \"{}\" has no snapshot", self.group),
            name: which.to_owned(),
            see: "flotilla snapshot list",
        })
    }

    /// Removes a snapshot; its revision stays.
    ///
    /// # Errors
    /// [`GroupError::NoSuch`].
    pub async fn remove(&self, which: &str) -> Result<Snapshot, GroupError> {
        let snapshot = self.find(which).await?;
        self.store.delete(&keys::snapshot(&self.group, snapshot.id), None).await?;
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn snapshots_are_found_by_number_and_by_name() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = flotilla_store::open(&format!("sqlite:{}", folder.path().join("s.db").display())).await.unwrap();
        let snapshots = Snapshots::new(store, "g").unwrap();
        let first = snapshots.add("before the fair", "", "aaaa", "ada").await.unwrap();
        let second = snapshots.add(" before the fair ", "again", "bbbb", "ada").await.unwrap();
        assert_eq!(snapshots.find("before the fair").await.unwrap(), second, "the last one of a name");
        assert_eq!(snapshots.find("1").await.unwrap(), first);
        for bad in ["", "  ", "12", &"x".repeat(201)] {
            assert!(matches!(snapshots.add(bad, "", "a", "a").await, Err(GroupError::Invalid { field: "name", .. })));
        }
        snapshots.remove("2").await.unwrap();
        assert_eq!(snapshots.list().await.unwrap(), [first]);
        assert!(matches!(snapshots.remove("2").await, Err(GroupError::NoSuch { code: "no_such_snapshot", .. })));
    }
}
