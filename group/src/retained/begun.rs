//! The subscriptions of a group that have begun: their retained messages were fetched, once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flotilla_store::{Expect, Store, Write};

use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;
/// A group that said nothing for this long has ended: it begins anew.
const TTL: Duration = Duration::from_secs(30);

/// A subscription that nobody asked about for this long is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(120);

/// Which subscriptions of a connection of the group have begun, on brokers that do not know.
#[derive(Clone)]
pub struct Begun {
    store: Arc<dyn Store>,
    key: String,
}

impl Begun {
    /// How often a replica says that the group runs on.
    pub const KEEP: Duration = Duration::from_secs(10);

    /// Those of a node (an `mqtt-broker`) of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str, node: &str) -> Result<Begun, GroupError> {
        keys::check("group name", group)?;
        Ok(Begun { store, key: keys::begun(group, node) })
    }

    /// Which of these subscriptions begin now, for the caller: nobody has begun them. To be asked every [`Begun::KEEP`], which
    /// says that the group runs on with them.
    pub async fn claim(&self, tokens: &[String]) -> Result<Vec<String>, GroupError> {
        let now_ms = now_ms(&*self.store).await?;
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(&self.key).await?;
            let known = entry.as_ref().map(|entry| keys::read("begun subscriptions", entry)).transpose()?;
            let mut known: BTreeMap<String, u64> = known.unwrap_or_default();
            // What nobody has asked about since is a subscription that there is no more.
            known.retain(|_, asked_ms| now_ms.saturating_sub(*asked_ms) < FORGOTTEN.as_millis() as u64);
            let new: Vec<String> =
                tokens.iter().filter(|token| known.insert((*token).clone(), now_ms).is_none()).cloned().collect();
            let expected = entry.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            let value = serde_json::to_vec(&known).map(bytes::Bytes::from).unwrap_or_default();
            if self.store.cas(&self.key, expected, Some(value), Write::expiring(TTL)).await?.is_swapped() {
                return Ok(new);
            }
        }
        Err(GroupError::Busy { group: self.key.clone() })
    }

    /// The whole group stops: its next start begins anew.
    pub async fn forget(&self) -> Result<(), GroupError> {
        self.store.delete(&self.key, None).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn each_subscription_begins_once_until_the_group_has_ended() {
        let folder = tempfile::TempDir::new().unwrap();
        let begun = Begun::new(test_store::open(&folder).await, "g", "b").unwrap();
        let tokens = ["a".to_owned(), "b".to_owned()];
        let (one, other) = tokio::join!(begun.claim(&tokens), begun.claim(&tokens));
        assert_eq!(one.unwrap().len() + other.unwrap().len(), 2);
        assert_eq!(begun.claim(&["b".to_owned(), "c".to_owned()]).await.unwrap(), ["c"]);
        assert!(begun.claim(&["c".to_owned()]).await.unwrap().is_empty());
        begun.forget().await.unwrap();
        assert_eq!(begun.claim(&tokens).await.unwrap(), tokens);
    }
}
