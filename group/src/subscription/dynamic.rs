//! Dynamic subscriptions: one replica is told, all of them subscribe.

use std::collections::BTreeMap;
use std::sync::Arc;

use flotilla_store::{Expect, Store, Write};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;

/// A subscription that a message asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What was asked for, as the message had it.
    pub asked: Value,
    /// Grows each time it is asked for anew: retained messages are sent again then.
    pub serial: u64,
}

/// The dynamic subscriptions of a group's nodes, in the store.
#[derive(Clone)]
pub struct Dynamic {
    store: Arc<dyn Store>,
    group: String,
}

impl Dynamic {
    /// Those of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Dynamic, GroupError> {
        keys::check("group name", group)?;
        Ok(Dynamic { store, group: group.to_owned() })
    }

    /// Where those of a node are: what [`Changes`](crate::Changes) are to be of.
    pub fn key(&self, node: &str) -> String {
        keys::dynamic(&self.group, node)
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Those of a node, by filter.
    pub async fn of(&self, node: &str) -> Result<BTreeMap<String, Entry>, GroupError> {
        let entry = self.store.get(&self.key(node)).await?;
        entry.map_or(Ok(BTreeMap::new()), |entry| keys::read("dynamic subscriptions", &entry))
    }

    /// Subscribes to filters, or ends subscriptions (`None`), for the whole group.
    pub async fn change(&self, node: &str, changes: &[(String, Option<Value>)]) -> Result<(), GroupError> {
        let key = self.key(node);
        let now = now_ms(&*self.store).await?;
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(&key).await?;
            let known = entry.as_ref().map(|entry| keys::read("dynamic subscriptions", entry)).transpose()?;
            let mut next: BTreeMap<String, Entry> = known.unwrap_or_default();
            // By time, so that a filter that was given up and is asked for again is not taken for the one before.
            let serial = next.values().map(|entry| entry.serial).max().unwrap_or(0).max(now) + 1;
            for (filter, asked) in changes {
                match asked {
                    Some(asked) => drop(next.insert(filter.clone(), Entry { asked: asked.clone(), serial })),
                    None => drop(next.remove(filter)),
                }
            }
            let expected = entry.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            let value = serde_json::to_vec(&next).map(bytes::Bytes::from).unwrap_or_default();
            if self.store.cas(&key, expected, Some(value), Write::default()).await?.is_swapped() {
                return Ok(());
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
    async fn changes_of_several_replicas_all_hold() {
        let folder = tempfile::TempDir::new().unwrap();
        let dynamic = Dynamic::new(test_store::open(&folder).await, "g").unwrap();
        let add = |filter: &str| (filter.to_owned(), Some(Value::from(filter)));
        let (a, b) = ([add("a")], [add("b"), add("c")]);
        let (one, other) = tokio::join!(dynamic.change("n", &a), dynamic.change("n", &b));
        one.and(other).unwrap();
        dynamic.change("n", &[("b".to_owned(), None)]).await.unwrap();
        let before = dynamic.of("n").await.unwrap();
        assert_eq!(before.keys().collect::<Vec<_>>(), ["a", "c"]);
        dynamic.change("n", &a).await.unwrap();
        let again = dynamic.of("n").await.unwrap();
        assert!(again["a"].serial > before["a"].serial, "it is asked for anew");
        for filter in ["a", "c"] {
            dynamic.change("n", &[(filter.to_owned(), None)]).await.unwrap();
        }
        dynamic.change("n", &a).await.unwrap();
        assert!(dynamic.of("n").await.unwrap()["a"].serial > again["a"].serial, "also when all were given up between");
        assert!(dynamic.of("other").await.unwrap().is_empty());
    }
}
