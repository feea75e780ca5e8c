//! The registry, followed.

use std::collections::BTreeMap;
use std::sync::Arc;

use flotilla_api::replica::ReplicaRecord;
use flotilla_store::{Entry, Store};

use crate::changes::{Changed, Changes};
use crate::error::GroupError;
use crate::keys;

/// The living replicas of a group, kept up to date by the store's changes: reading it costs the store nothing.
pub struct Roster {
    store: Arc<dyn Store>,
    prefix: String,
    changes: Changes,
    records: BTreeMap<String, ReplicaRecord>,
}

impl Roster {
    /// The replicas of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Roster, GroupError> {
        keys::check("group name", group)?;
        let prefix = keys::members(group);
        let changes = Changes::new(store.clone(), vec![prefix.clone()]);
        Ok(Roster { store, prefix, changes, records: BTreeMap::new() })
    }

    /// Waits for a change; answers the replicas by id. The first call answers at once.
    ///
    /// # Errors
    /// While the store is away, or a record cannot be read; the next call tries again.
    pub async fn next(&mut self) -> Result<impl Iterator<Item = &ReplicaRecord>, GroupError> {
        if let Err(error) = self.follow().await {
            self.changes.look_again();
            return Err(error);
        }
        Ok(self.records.values())
    }

    async fn follow(&mut self) -> Result<(), GroupError> {
        match self.changes.next().await {
            Changed::Everything => {
                let entries = self.store.list(&self.prefix).await?;
                let read = |entry: &Entry| Ok((entry.key.clone(), keys::read("a replica's record", entry)?));
                self.records = entries.iter().map(read).collect::<Result<_, GroupError>>()?;
            }
            Changed::Keys(keys) => {
                for (key, entry) in keys {
                    match entry {
                        Some(entry) => drop(self.records.insert(key, keys::read("a replica's record", &entry)?)),
                        None => drop(self.records.remove(&key)),
                    }
                }
            }
        }
        Ok(())
    }
}
