//! While what a group without replicas has left at brokers is being ended, replicas of a group with the same name take no work:
//! sessions of the group itself have the same ClientIDs in both.

use std::time::Duration;

use bytes::Bytes;
use flotilla_store::{Expect, Moment, Write};

use super::sessions::Sessions;
use crate::error::GroupError;
use crate::keys;
use crate::member::Registry;

/// How long a mark stays when the process that wrote it has died, or stands still.
pub const ENDING: Duration = Duration::from_secs(25);

/// The mark of a process that ends the sessions of a group. It goes away with [`Sessions::end_of`], or [`ENDING`] after it was last
/// written.
#[derive(Debug)]
pub struct Ending {
    key: String,
    /// What it holds: who wrote it.
    by: Bytes,
}

impl Sessions {
    /// Where the store keeps the marks of a group: what [`Changes`](crate::Changes) are to be of.
    pub fn endings_key(&self) -> String {
        keys::endings(&self.group)
    }

    /// Begins to end the sessions of a group that has no replicas. `by` is an id that no other process uses.
    ///
    /// The mark is written first and the replicas are listed then; a replica registers first and looks for marks then. So of
    /// two that begin at the same time one sees the other at least.
    ///
    /// # Errors
    /// [`GroupError::GroupInUse`] when the group has replicas: the sessions are theirs.
    pub async fn begin_ending(&self, by: &str) -> Result<Ending, GroupError> {
        let ending = Ending { key: keys::ending(&self.group, by), by: Bytes::copy_from_slice(by.as_bytes()) };
        self.store.set(&ending.key, ending.by.clone(), Write::expiring(ENDING)).await?;
        let listed = async { Ok::<_, GroupError>(Registry::new(self.store.clone(), &self.group)?.list().await?.len()) };
        let replicas = listed.await;
        if let Ok(0) = replicas {
            return Ok(ending);
        }
        // Nothing is ended: no replica waits for that.
        let withdrawn = self.end_of(ending).await;
        let replicas = replicas?;
        withdrawn?;
        Err(GroupError::GroupInUse { group: self.group.clone(), replicas })
    }

    /// Writes the mark again, if it is still there. Who ends sessions asks before each step, because it may have stood still for
    /// longer than the mark stays: replicas of the same name take work then, and the sessions are theirs.
    ///
    /// The answer is the moment until which none does. What has not reached the broker by then must not.
    ///
    /// # Errors
    /// [`GroupError::EndingLost`] when the mark is gone.
    pub async fn hold(&self, ending: &Ending) -> Result<Moment, GroupError> {
        let asked = Moment::now();
        let own = &ending.by;
        let held = self.store.cas(&ending.key, Expect::Value(own.clone()), Some(own.clone()), Write::expiring(ENDING));
        match held.await?.is_swapped() {
            true => Ok(asked + ENDING),
            false => Err(GroupError::EndingLost { group: self.group.clone() }),
        }
    }

    /// Nothing more is ended under this mark: replicas that wait for it go on.
    pub async fn end_of(&self, ending: Ending) -> Result<(), GroupError> {
        self.store.delete(&ending.key, None).await?;
        Ok(())
    }

    /// True while the sessions of the group are being ended. A replica asks after it has registered, and before its flow runs.
    pub async fn are_ending(&self) -> Result<bool, GroupError> {
        Ok(!self.store.list(&keys::endings(&self.group)).await?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use flotilla_api::replica::ReplicaRecord;

    use super::*;
    use crate::member::Registration;
    use crate::test_store;

    fn record(group: &str) -> ReplicaRecord {
        ReplicaRecord { id: "r".to_owned(), group: group.to_owned(), ..ReplicaRecord::default() }
    }

    #[tokio::test]
    async fn the_sessions_of_a_group_that_has_replicas_are_not_ended() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let sessions = Sessions::new(store.clone(), "g").unwrap();
        let lease = Duration::from_secs(60);
        let other = Registration::join(store.clone(), record("other"), "p", lease, |_| {}).await.unwrap();
        let ending = sessions.begin_ending("a").await.expect("a replica of another group is none of this one");
        sessions.end_of(ending).await.unwrap();
        other.leave().await;
        let replica = Registration::join(store, record("g"), "p", lease, |_| {}).await.unwrap();
        let refused = sessions.begin_ending("a").await.unwrap_err();
        assert!(matches!(refused, GroupError::GroupInUse { replicas: 1, .. }), "{refused}");
        assert!(!sessions.are_ending().await.unwrap(), "the replica does not wait for one that has given up");
        replica.leave().await;
        sessions.begin_ending("a").await.unwrap();
    }

    #[tokio::test]
    async fn who_stood_still_until_its_mark_was_gone_has_nothing_more_to_end() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let sessions = Sessions::new(store.clone(), "g").unwrap();
        let ending = sessions.begin_ending("a").await.unwrap();
        let begun = Moment::now();
        let until = sessions.hold(&ending).await.unwrap();
        assert!(until >= begun + ENDING && until <= Moment::now() + ENDING, "{until:?}");
        assert!(store.get(&ending.key).await.unwrap().unwrap().expires.is_some(), "it still runs out");
        // The mark runs out while its process stands still, and a replica begins.
        store.delete(&ending.key, None).await.unwrap();
        let replica = Registration::join(store, record("g"), "p", Duration::from_secs(60), |_| {}).await.unwrap();
        assert!(!sessions.are_ending().await.unwrap(), "the replica takes work");
        let lost = sessions.hold(&ending).await.unwrap_err();
        assert!(matches!(lost, GroupError::EndingLost { .. }), "{lost}");
        assert!(!sessions.are_ending().await.unwrap(), "asking writes no mark");
        replica.leave().await;
    }

    #[tokio::test]
    async fn a_replica_sees_every_process_that_ends_sessions_of_its_group() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let sessions = Sessions::new(store.clone(), "g").unwrap();
        assert!(!sessions.are_ending().await.unwrap());
        let (a, b) = (sessions.begin_ending("a").await.unwrap(), sessions.begin_ending("b").await.unwrap());
        assert!(!Sessions::new(store.clone(), "g2").unwrap().are_ending().await.unwrap());
        sessions.end_of(a).await.unwrap();
        assert!(sessions.are_ending().await.unwrap(), "another one still ends some");
        let entry = store.get(&b.key).await.unwrap().unwrap();
        assert!(entry.expires.is_some(), "a process that dies holds nobody up for ever");
        sessions.end_of(b).await.unwrap();
        assert!(!sessions.are_ending().await.unwrap());
    }
}
