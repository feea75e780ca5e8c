//! Which replicas consume for a group, so that the last to stop knows that it is.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use flotilla_store::{Expect, Store, Write};

use crate::error::GroupError;
use crate::keys;

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;

/// The replicas that consume for a group: one list, changed by compare-and-swap only, so that of all that stop at the
/// same time exactly one finds that nobody is left.
#[derive(Clone)]
pub struct Consumers {
    store: Arc<dyn Store>,
    group: String,
}

impl Consumers {
    /// Those of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Consumers, GroupError> {
        keys::check("group name", group)?;
        Ok(Consumers { store, group: group.to_owned() })
    }

    /// A replica consumes from now on.
    pub async fn enter(&self, replica: &str) -> Result<(), GroupError> {
        self.change(|list| list.insert(replica.to_owned())).await.map(drop)
    }

    /// A replica is about to stop consuming. True when no living replica goes on: what is published from now on is kept by
    /// its sessions, or by nobody's.
    pub async fn leave(&self, replica: &str) -> Result<bool, GroupError> {
        let held = self.store.leases(&keys::member_lease("")).await?;
        let living: HashSet<String> = held.into_iter().map(|lease| lease.name).collect();
        let left = self
            .change(|list| {
                let before = list.len();
                list.retain(|id| id != replica && living.contains(&keys::member_lease(id)));
                list.len() != before
            })
            .await?;
        Ok(left.is_empty())
    }

    async fn change(&self, change: impl Fn(&mut BTreeSet<String>) -> bool) -> Result<BTreeSet<String>, GroupError> {
        let key = keys::consumers(&self.group);
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(&key).await?;
            let list = entry.as_ref().map(|entry| keys::read("the list of consuming replicas", entry)).transpose()?;
            let mut list: BTreeSet<String> = list.unwrap_or_default();
            if !change(&mut list) {
                return Ok(list);
            }
            let expected = entry.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            let value = serde_json::to_vec(&list).map(Bytes::from).unwrap_or_default();
            if self.store.cas(&key, expected, Some(value), Write::default()).await?.is_swapped() {
                return Ok(list);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn of_all_that_stop_at_once_one_is_the_last() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let consumers = Consumers::new(store.clone(), "g").unwrap();
        for id in ["a", "b", "c", "dead"] {
            consumers.enter(id).await.unwrap();
            if id != "dead" {
                store.acquire(&keys::member_lease(id), id, Duration::from_secs(60)).await.unwrap();
            }
        }
        let (a, b, c) = tokio::join!(consumers.leave("a"), consumers.leave("b"), consumers.leave("c"));
        assert_eq!([a, b, c].into_iter().filter(|last| *last.as_ref().unwrap()).count(), 1);
        consumers.enter("a").await.unwrap();
        assert!(consumers.leave("a").await.unwrap(), "it came back alone");
    }
}
