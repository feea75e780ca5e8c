//! Groups in the store.

use std::sync::Arc;

use flotilla_api::group::GroupSpec;
use flotilla_store::{Cas, Expect, Store, Write};

use crate::error::GroupError;
use crate::keys;
use crate::member::Registry;

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;

/// Groups in the store.
#[derive(Clone)]
pub struct Specs {
    store: Arc<dyn Store>,
}

impl Specs {
    /// The groups of a store.
    pub fn new(store: Arc<dyn Store>) -> Specs {
        Specs { store }
    }

    /// Where the store keeps a group: what [`Changes`](crate::Changes) are to be of.
    pub fn key(name: &str) -> String {
        keys::spec(name)
    }

    /// All groups, by name.
    pub async fn list(&self) -> Result<Vec<GroupSpec>, GroupError> {
        let entries = self.store.list(keys::GROUPS).await?;
        entries.iter().map(|entry| keys::read("a group", entry)).collect()
    }

    /// A group.
    ///
    /// # Errors
    /// [`GroupError::NoGroup`].
    pub async fn get(&self, name: &str) -> Result<GroupSpec, GroupError> {
        keys::check("group name", name)?;
        let entry = self.store.get(&keys::spec(name)).await?.ok_or_else(|| GroupError::NoGroup(name.to_owned()))?;
        keys::read("a group", &entry)
    }

    /// Adds a group.
    ///
    /// # Errors
    /// [`GroupError::GroupExists`].
    pub async fn add(&self, spec: &GroupSpec) -> Result<(), GroupError> {
        if self.add_if_none(spec).await? { Ok(()) } else { Err(GroupError::GroupExists(spec.name.clone())) }
    }

    /// Adds a group unless it is there. True when it was added.
    pub async fn add_if_none(&self, spec: &GroupSpec) -> Result<bool, GroupError> {
        keys::check("group name", &spec.name)?;
        if let Some((field, reason)) = spec.rollout.problem(usize::MAX) {
            return Err(GroupError::Rules { field, reason });
        }
        let key = keys::spec(&spec.name);
        Ok(self.store.cas(&key, Expect::Absent, Some(keys::encode(spec)), Write::default()).await?.is_swapped())
    }

    /// Replaces what users say of a group.
    ///
    /// # Errors
    /// [`GroupError::NoGroup`], [`GroupError::Rules`].
    pub async fn replace(&self, spec: &GroupSpec) -> Result<(), GroupError> {
        self.get(&spec.name).await?;
        if let Some((field, reason)) = spec.rollout.problem(usize::MAX) {
            return Err(GroupError::Rules { field, reason });
        }
        self.store.set(&keys::spec(&spec.name), keys::encode(spec), Write::default()).await?;
        Ok(())
    }

    /// Removes a group without replicas. Its revisions and audit log stay.
    ///
    /// # Errors
    /// [`GroupError::NoGroup`], [`GroupError::GroupInUse`].
    pub async fn remove(&self, name: &str) -> Result<(), GroupError> {
        self.get(name).await?;
        let replicas = Registry::new(self.store.clone(), name)?.list().await?.len();
        if replicas > 0 {
            return Err(GroupError::GroupInUse { group: name.to_owned(), replicas });
        }
        self.store.delete(&keys::spec(name), None).await?;
        Ok(())
    }

    /// Sets how many replicas a supervisor keeps running; a group that is not there is added.
    pub async fn scale(&self, name: &str, replicas: u16) -> Result<GroupSpec, GroupError> {
        keys::check("group name", name)?;
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(&keys::spec(name)).await?;
            let (mut spec, expected) = match &entry {
                Some(entry) => (keys::read("a group", entry)?, Expect::Version(entry.version)),
                None => (GroupSpec::named(name), Expect::Absent),
            };
            spec.replicas = replicas;
            let swapped =
                self.store.cas(&keys::spec(name), expected, Some(keys::encode(&spec)), Write::default()).await?;
            if matches!(swapped, Cas::Swapped(_)) {
                return Ok(spec);
            }
        }
        Err(GroupError::Busy { group: name.to_owned() })
    }
}
