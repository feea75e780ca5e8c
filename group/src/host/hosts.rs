//! The hosts of a store.

use std::collections::HashMap;
use std::sync::Arc;

use flotilla_api::placement::{HostFacts, HostLoad};
use flotilla_store::Store;

use crate::error::GroupError;
use crate::keys;

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
        let mut living = HashMap::new();
        for entry in self.store.list(keys::HOST_BEATS).await? {
            let name = entry.key.trim_start_matches(keys::HOST_BEATS).to_owned();
            living.insert(name, keys::read::<HostLoad>("a host's sign of life", &entry)?);
        }
        let entries = self.store.list(keys::HOSTS).await?;
        let read = |entry| {
            let facts: HostFacts = keys::read("a host", entry)?;
            Ok(Known { load: living.remove(&facts.name), facts })
        };
        entries.iter().map(read).collect()
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
        if self.get(name).await?.load.is_some() {
            return Err(GroupError::HostAlive(name.to_owned()));
        }
        self.store.delete(&keys::agent(name), None).await?;
        Ok(())
    }
}
