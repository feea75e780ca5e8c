//! Dead letters that users want to be run again.

use std::collections::BTreeSet;
use std::sync::Arc;

use flotilla_store::{Expect, Store, Write};
use serde::{Deserialize, Serialize};

use crate::error::GroupError;
use crate::keys;

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;

/// The dead letters that a replica is to run again. A letter stays in the box until that was successful, so that nothing is
/// lost when the replica that took it dies.
#[derive(Clone)]
pub struct Replays {
    store: Arc<dyn Store>,
    group: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Asked {
    ids: BTreeSet<u64>,
}

impl Replays {
    /// The replays of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Replays, GroupError> {
        keys::check("group name", group)?;
        Ok(Replays { store, group: group.to_owned() })
    }

    /// The key under which they are, to be followed.
    pub fn key(&self) -> String {
        keys::replays(&self.group)
    }

    /// Asks for letters to be run again.
    pub async fn ask(&self, ids: &[u64]) -> Result<(), GroupError> {
        self.change(|asked| asked.extend(ids)).await.map(drop)
    }

    /// Takes one: only this caller gets it.
    pub async fn take(&self) -> Result<Option<u64>, GroupError> {
        self.change(BTreeSet::pop_first).await
    }

    async fn change<R>(&self, mut change: impl FnMut(&mut BTreeSet<u64>) -> R) -> Result<R, GroupError> {
        let key = self.key();
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(&key).await?;
            let expected = entry.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            let mut asked: Asked = match &entry {
                Some(entry) => keys::read("the replays that were asked for", entry)?,
                None => Asked::default(),
            };
            let before = asked.ids.clone();
            let result = change(&mut asked.ids);
            if asked.ids == before {
                return Ok(result);
            }
            let new = (!asked.ids.is_empty()).then(|| keys::encode(&asked));
            if self.store.cas(&key, expected, new, Write::default()).await?.is_swapped() {
                return Ok(result);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_replay_is_taken_once() {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("s.db").display());
        let replays = Replays::new(flotilla_store::open(&url).await.unwrap(), "g").unwrap();
        assert_eq!(replays.take().await.unwrap(), None);
        replays.ask(&[3, 1]).await.unwrap();
        replays.ask(&[1]).await.unwrap();
        let other = replays.clone();
        let (first, second) = tokio::join!(replays.take(), other.take());
        let both = BTreeSet::from([first.unwrap().unwrap(), second.unwrap().unwrap()]);
        assert_eq!(both, BTreeSet::from([1, 3]));
        assert_eq!(replays.take().await.unwrap(), None);
    }
}
