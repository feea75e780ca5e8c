//! A group's snapshots in the store.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::snapshot::Snapshot;
use flotilla_store::{Expect, Store, Write};

use crate::clock::now_ms;
use crate::digest::digest;
use crate::error::GroupError;
use crate::keys;

/// A name has so many characters at most.
const LONGEST: usize = 200;
/// For how long a claim on making a snapshot once is kept. The snapshot itself says later for what it was made.
const CLAIMED: Duration = Duration::from_secs(3600);

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
        let snapshot = self.new_one(name, description, revision, actor, "").await?;
        self.write(&snapshot).await?;
        Ok(snapshot)
    }

    /// The same for a request or a run of a pipeline that may ask again, unless there is one for `run`: then that, and false. Of all that ask at the same time one makes it: the claim
    /// has the whole snapshot, so that another finishes it when that process dies.
    pub async fn add_once(
        &self,
        name: &str,
        description: &str,
        revision: &str,
        actor: &str,
        run: &str,
    ) -> Result<(Snapshot, bool), GroupError> {
        if let Some(first) = self.list().await?.into_iter().rev().find(|first| first.run == run) {
            return Ok((first, false));
        }
        let own = self.new_one(name, description, revision, actor, run).await?;
        let key = self.claim(run);
        let claim = Some(keys::encode(&own));
        self.store.cas(&key, Expect::Absent, claim, Write::expiring(CLAIMED)).await?;
        let entry = self.store.get(&key).await?.ok_or_else(|| GroupError::Busy { group: self.group.clone() })?;
        let claimed: Snapshot = keys::read("for what a snapshot is made", &entry)?;
        self.write(&claimed).await?;
        let first = claimed.id == own.id;
        Ok((claimed, first))
    }

    fn claim(&self, run: &str) -> String {
        keys::snapshot_once(&self.group, &digest(run, 32))
    }

    /// Writes it unless it is there.
    async fn write(&self, snapshot: &Snapshot) -> Result<(), GroupError> {
        let (key, value) = (keys::snapshot(&self.group, snapshot.id), Some(keys::encode(snapshot)));
        self.store.cas(&key, Expect::Absent, value, Write::default()).await?;
        Ok(())
    }

    /// A snapshot with a number of its own that nobody sees yet.
    async fn new_one(
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
        Ok(Snapshot {
            id,
            name: name.to_owned(),
            description: description.to_owned(),
            revision: revision.to_owned(),
            time_ms: now_ms(&*self.store).await?,
            actor: actor.to_owned(),
            run: run.to_owned(),
        })
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
        if !snapshot.run.is_empty() {
            // Asked again, it is made anew.
            self.store.delete(&self.claim(&snapshot.run), None).await?;
        }
        self.store.delete(&keys::snapshot(&self.group, snapshot.id), None).await?;
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn snapshots_are_found_by_number_and_by_name() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
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

    #[tokio::test]
    async fn of_all_that_ask_for_one_at_the_same_time_one_makes_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let snapshots = Snapshots::new(store, "g").unwrap();
        let asking = (0..8).map(|_| snapshots.add_once("release", "", "aaaa", "ada", "asked by ada: 0.1.0"));
        let made = futures::future::try_join_all(asking).await.unwrap();
        assert_eq!(made.iter().filter(|(_, first)| *first).count(), 1);
        assert_eq!(
            snapshots.list().await.unwrap(),
            [made[0].0.clone()],
            "all were answered with the one that there is"
        );
        assert!(made.iter().all(|(snapshot, _)| *snapshot == made[0].0));
        snapshots.remove("release").await.unwrap();
        let (again, first) = snapshots.add_once("release", "", "bbbb", "ada", "asked by ada: 0.1.0").await.unwrap();
        assert!(first && again.revision == "bbbb", "it was removed, so that it is made anew");
    }
}
