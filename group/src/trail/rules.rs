//! The rule of what is recorded, in the store.

use std::sync::Arc;

use flotilla_api::trail::TrailRule;
use flotilla_store::{Store, Write};

use crate::error::GroupError;
use crate::keys;

/// The rule of what a group records: one at a time, the last that was set.
#[derive(Clone)]
pub struct TrailRules {
    store: Arc<dyn Store>,
    group: String,
}

impl TrailRules {
    /// That of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<TrailRules, GroupError> {
        keys::check("group name", group)?;
        Ok(TrailRules { store, group: group.to_owned() })
    }

    /// Where the store keeps it: what [`Changes`](crate::Changes) are to be of.
    pub fn key(&self) -> String {
        keys::trail_rule(&self.group)
    }

    /// The rule with its version; none when nothing but failures is recorded.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn get(&self) -> Result<Option<(TrailRule, u64)>, GroupError> {
        match self.store.get(&self.key()).await? {
            Some(entry) => Ok(Some((keys::read("the rule of trails", &entry)?, entry.version))),
            None => Ok(None),
        }
    }

    /// Puts a rule in force, or none.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn set(&self, rule: Option<&TrailRule>) -> Result<(), GroupError> {
        match rule {
            Some(rule) => drop(self.store.set(&self.key(), keys::encode(rule), Write::default()).await?),
            None => drop(self.store.delete(&self.key(), None).await?),
        }
        Ok(())
    }
}
