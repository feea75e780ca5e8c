//! Who is in a group.

use std::collections::HashSet;
use std::sync::Arc;

use flotilla_api::replica::ReplicaRecord;
use flotilla_store::Store;

use super::memberships::Membership;
use crate::error::GroupError;
use crate::keys;

/// Reads who is in a group.
#[derive(Clone)]
pub struct Registry {
    store: Arc<dyn Store>,
    group: String,
}

impl Registry {
    /// The registry of a group.
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Registry, GroupError> {
        keys::check("group name", group)?;
        Ok(Registry { store, group: group.to_owned() })
    }

    /// The living replicas, by id.
    pub async fn list(&self) -> Result<Vec<ReplicaRecord>, GroupError> {
        let entries = self.store.list(&keys::members(&self.group)).await?;
        entries.iter().map(|entry| keys::read("a replica's record", entry)).collect()
    }

    /// The living replicas without those that were taken out of the group and have not left yet.
    pub async fn staying(&self) -> Result<Vec<ReplicaRecord>, GroupError> {
        let mut leaving = HashSet::new();
        for entry in self.store.list(keys::MEMBERSHIPS).await? {
            let membership: Membership = keys::read("a replica's membership", &entry)?;
            if membership.group.as_deref() != Some(&self.group) {
                leaving.insert(membership.replica);
            }
        }
        let mut replicas = self.list().await?;
        replicas.retain(|record| !leaving.contains(&record.id));
        Ok(replicas)
    }

    /// The living replicas that are in no group.
    pub async fn spare(store: &Arc<dyn Store>) -> Result<Vec<ReplicaRecord>, GroupError> {
        let entries = store.list(&keys::members("")).await?;
        entries.iter().map(|entry| keys::read("a replica's record", entry)).collect()
    }

    /// A living replica, whatever group it is in.
    pub async fn find(store: &Arc<dyn Store>, id: &str) -> Result<Option<ReplicaRecord>, GroupError> {
        keys::check("replica id", id)?;
        let groups = store.list(keys::GROUPS).await?;
        let names = groups.iter().filter_map(|entry| entry.key.strip_prefix(keys::GROUPS));
        for group in std::iter::once("").chain(names) {
            if let Some(entry) = store.get(&keys::member(group, id)).await? {
                return Ok(Some(keys::read("a replica's record", &entry)?));
            }
        }
        Ok(None)
    }
}
