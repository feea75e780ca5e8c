//! Who is in a group.

use std::sync::Arc;

use flotilla_store::Store;

use super::record::ReplicaRecord;
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
}
