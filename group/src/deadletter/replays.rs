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

/// One that is to be run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replay {
    /// Its number.
    pub id: u64,
    /// Its message enters the node that failed; else it begins anew.
    pub at_failure: bool,
}

#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
struct Asked {
    /// From the start.
    ids: BTreeSet<u64>,
    /// Where they failed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    at_failure: BTreeSet<u64>,
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

    /// Asks for letters to be run again. What was asked last of a letter counts, so that it is run once.
    pub async fn ask(&self, ids: &[u64], at_failure: bool) -> Result<(), GroupError> {
        self.change(|asked| {
            let (to, from) = match at_failure {
                true => (&mut asked.at_failure, &mut asked.ids),
                false => (&mut asked.ids, &mut asked.at_failure),
            };
            for id in ids {
                from.remove(id);
                to.insert(*id);
            }
        })
        .await
    }

    /// Takes one: only this caller gets it.
    pub async fn take(&self) -> Result<Option<Replay>, GroupError> {
        self.change(|asked| match asked.ids.pop_first() {
            Some(id) => Some(Replay { id, at_failure: false }),
            None => asked.at_failure.pop_first().map(|id| Replay { id, at_failure: true }),
        })
        .await
    }

    async fn change<R>(&self, mut change: impl FnMut(&mut Asked) -> R) -> Result<R, GroupError> {
        let key = self.key();
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(&key).await?;
            let expected = entry.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            let mut asked: Asked = match &entry {
                Some(entry) => keys::read("the replays that were asked for", entry)?,
                None => Asked::default(),
            };
            let before = asked.clone();
            let result = change(&mut asked);
            if asked == before {
                return Ok(result);
            }
            let is_empty = asked.ids.is_empty() && asked.at_failure.is_empty();
            let new = (!is_empty).then(|| keys::encode(&asked));
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
    use crate::test_store;

    #[tokio::test]
    async fn each_replay_is_taken_once() {
        let folder = tempfile::TempDir::new().unwrap();
        let replays = Replays::new(test_store::open(&folder).await, "g").unwrap();
        assert_eq!(replays.take().await.unwrap(), None);
        replays.ask(&[3, 1], false).await.unwrap();
        replays.ask(&[1], true).await.unwrap();
        let other = replays.clone();
        let (first, second) = tokio::join!(replays.take(), other.take());
        let both = BTreeSet::from([first.unwrap().unwrap(), second.unwrap().unwrap()]);
        let of = |id, at_failure| Replay { id, at_failure };
        assert_eq!(both, BTreeSet::from([of(1, true), of(3, false)]), "what was asked last of a letter counts");
        assert_eq!(replays.take().await.unwrap(), None);
    }
}
