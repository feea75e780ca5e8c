//! The hosts of a store.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use flotilla_api::placement::{HostFacts, HostLoad};
use flotilla_store::{Acquire, Store};

use crate::error::GroupError;
use crate::keys;

/// How long a removal that was cut off keeps agents from the host's name.
const REMOVAL: Duration = Duration::from_secs(5);

/// The hosts of a store.
#[derive(Clone)]
pub struct Hosts {
    store: Arc<dyn Store>,
}

/// A host, and its last sign of life while its agent lives.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// What its agent said when it started.
    pub facts: HostFacts,
    /// The last sign of life.
    pub load: Option<HostLoad>,
}

impl Hosts {
    /// The hosts of a store.
    pub fn new(store: Arc<dyn Store>) -> Hosts {
        Hosts { store }
    }

    /// Where the store keeps what agents say when they start: what [`Changes`](crate::Changes) are to be of. Signs of life are
    /// kept elsewhere.
    pub fn prefix() -> String {
        keys::HOSTS.to_owned()
    }

    /// All hosts, by name.
    pub async fn list(&self) -> Result<Vec<Known>, GroupError> {
        // Before the signs of life: a host that joins in between gives one before it is listed.
        let entries = self.store.list(keys::HOSTS).await?;
        let mut living = HashMap::new();
        for entry in self.store.list(keys::HOST_BEATS).await? {
            let name = entry.key.trim_start_matches(keys::HOST_BEATS).to_owned();
            living.insert(name, keys::read::<HostLoad>("a host's sign of life", &entry)?);
        }
        let read = |entry| {
            let facts: HostFacts = keys::read("a host", entry)?;
            Ok(Known { load: living.remove(&facts.name), facts })
        };
        entries.iter().map(read).collect()
    }

    /// The zone of each host.
    pub async fn zones(&self) -> Result<BTreeMap<String, String>, GroupError> {
        Ok(self.list().await?.into_iter().map(|host| (host.facts.name, host.facts.zone)).collect())
    }

    /// A host.
    ///
    /// # Errors
    /// [`GroupError::NoHost`].
    pub async fn get(&self, name: &str) -> Result<Known, GroupError> {
        keys::check("host name", name)?;
        let none = || GroupError::NoHost(name.to_owned());
        let entry = self.store.get(&keys::agent(name)).await?.ok_or_else(none)?;
        let load = self.store.get(&keys::agent_beat(name)).await?;
        let load = load.map(|entry| keys::read("a host's sign of life", &entry)).transpose()?;
        Ok(Known { facts: keys::read("a host", &entry)?, load })
    }

    /// Removes what its agent said of a host, when that has ended.
    ///
    /// # Errors
    /// [`GroupError::NoHost`], [`GroupError::HostAlive`].
    pub async fn remove(&self, name: &str) -> Result<(), GroupError> {
        self.get(name).await?;
        // Under the lease on its name, so that no agent takes it meanwhile.
        let holder = format!("removal/{}", rand::random::<u64>());
        let Acquire::Granted(lease) = self.store.acquire(&keys::agent(name), &holder, REMOVAL).await? else {
            return Err(GroupError::HostAlive(name.to_owned()));
        };
        let removed = self.store.delete(&keys::agent(name), Some(lease.fence())).await;
        let beat = self.store.delete(&keys::agent_beat(name), Some(lease.fence())).await;
        self.store.release(&lease).await?;
        removed.and(beat)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostRegistration;
    use crate::test_store;

    #[tokio::test]
    async fn a_host_that_joins_is_never_seen_without_a_sign_of_life() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let facts = HostFacts { name: "h".to_owned(), ..HostFacts::default() };
        let ttl = Duration::from_secs(10);
        let load = HostLoad { key: "k".to_owned(), ..HostLoad::default() };
        let joined = HostRegistration::join(store.clone(), facts, "a", ttl, load).await.unwrap();
        let hosts = Hosts::new(store);
        let known = hosts.list().await.unwrap();
        assert_eq!(known[0].load.as_ref().map(|load| &*load.key), Some("k"), "{known:?}");
        assert!(matches!(hosts.remove("h").await, Err(GroupError::HostAlive(_))));
        joined.leave().await;
        hosts.remove("h").await.unwrap();
        assert!(matches!(hosts.get("h").await, Err(GroupError::NoHost(_))));
    }

    #[tokio::test]
    async fn a_host_whose_agent_has_just_the_lease_is_not_removed() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let facts = HostFacts { name: "h".to_owned(), ..HostFacts::default() };
        store.set(&keys::agent("h"), keys::encode(&facts), flotilla_store::Write::default()).await.unwrap();
        // Its agent starts again: it has the name, and has given no sign of life yet.
        let lease =
            store.acquire(&keys::agent("h"), "agent", Duration::from_secs(10)).await.unwrap().granted().unwrap();
        let hosts = Hosts::new(store.clone());
        assert!(matches!(hosts.remove("h").await, Err(GroupError::HostAlive(_))));
        assert_eq!(hosts.get("h").await.unwrap().facts, facts);
        store.release(&lease).await.unwrap();
        hosts.remove("h").await.unwrap();
        // The name is free again at once.
        assert!(store.acquire(&keys::agent("h"), "next", Duration::from_secs(10)).await.unwrap().granted().is_some());
    }
}
