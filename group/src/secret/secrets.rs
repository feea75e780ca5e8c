//! A group's secrets in the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use flotilla_flows::NodeCredentials;
use flotilla_store::{Expect, Store, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::GroupError;
use crate::keys;
use crate::sealing;

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;
/// Under which name a value is sealed.
const FIELD: &str = "value";

/// A group's secrets: environment variables of its flows, each sealed with the group's key. A rollback does not bring an
/// old one back.
#[derive(Clone)]
pub struct Secrets {
    store: Arc<dyn Store>,
    group: String,
}

/// The secrets as the store keeps them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Sealed {
    /// Grows with each change.
    version: u64,
    /// By name, encrypted as credentials are.
    values: BTreeMap<String, Value>,
}

impl Secrets {
    /// The secrets of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Secrets, GroupError> {
        keys::check("group name", group)?;
        Ok(Secrets { store, group: group.to_owned() })
    }

    /// Their names, sorted.
    pub async fn names(&self) -> Result<Vec<String>, GroupError> {
        Ok(self.load().await?.0.values.into_keys().collect())
    }

    /// The version that the last change made; 0 without any.
    pub async fn version(&self) -> Result<u64, GroupError> {
        Ok(self.load().await?.0.version)
    }

    /// Their values by name.
    ///
    /// # Errors
    /// [`GroupError::Key`] when there are secrets and the key is missing or does not fit.
    pub async fn values(&self, key: Option<&str>) -> Result<BTreeMap<String, String>, GroupError> {
        let (sealed, _) = self.load().await?;
        sealed.values.into_iter().map(|(name, value)| Ok((name.clone(), open(&name, &value, key)?))).collect()
    }

    /// Sets and removes secrets; answers the new version.
    ///
    /// # Errors
    /// [`GroupError::Key`] without a key, [`GroupError::NoKeyName`] for one that is to be removed and is not there.
    pub async fn change(
        &self,
        set: &BTreeMap<String, String>,
        unset: &[String],
        key: Option<&str>,
    ) -> Result<u64, GroupError> {
        let key = key.ok_or_else(|| {
            no_key("secrets are sealed with the group's key: start the gateway with FLOTILLA_GROUP_KEY")
        })?;
        for _ in 0..ATTEMPTS {
            let (mut sealed, expected) = self.load().await?;
            for name in unset {
                let gone = sealed.values.remove(name);
                gone.ok_or_else(|| GroupError::NoKeyName { what: "secret", name: name.clone() })?;
            }
            for (name, value) in set {
                let fields = Map::from_iter([(FIELD.to_owned(), value.as_str().into())]);
                sealed
                    .values
                    .insert(name.clone(), sealing::seal(&NodeCredentials::from([(name.clone(), fields)]), key));
            }
            sealed.version += 1;
            let value = Some(keys::encode(&sealed));
            if self.store.cas(&keys::secrets(&self.group), expected, value, Write::default()).await?.is_swapped() {
                return Ok(sealed.version);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }

    async fn load(&self) -> Result<(Sealed, Expect), GroupError> {
        match self.store.get(&keys::secrets(&self.group)).await? {
            Some(entry) => Ok((keys::read("a group's secrets", &entry)?, Expect::Version(entry.version))),
            None => Ok((Sealed::default(), Expect::Absent)),
        }
    }
}

fn no_key(reason: &str) -> GroupError {
    GroupError::Key { field: "group_key", reason: reason.to_owned() }
}

fn open(name: &str, sealed: &Value, key: Option<&str>) -> Result<String, GroupError> {
    let bad = || {
        no_key("the group's key is missing or not the one that its secrets are sealed with: give FLOTILLA_GROUP_KEY")
    };
    let plain = sealing::open(sealed, key).map_err(|_| bad())?;
    plain.get(name).and_then(|fields| fields.get(FIELD)?.as_str()).map(str::to_owned).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn secrets_are_sealed_and_change_one_by_one() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let secrets = Secrets::new(store.clone(), "g").unwrap();
        let set = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert!(matches!(secrets.change(&set("A", "hush-1"), &[], None).await, Err(GroupError::Key { .. })));
        assert_eq!(secrets.change(&set("A", "hush-1"), &[], Some("k")).await.unwrap(), 1);
        assert_eq!(secrets.change(&set("B", "hush-2"), &[], Some("k")).await.unwrap(), 2);
        let all = secrets.values(Some("k")).await.unwrap();
        assert_eq!((all["A"].as_str(), all["B"].as_str()), ("hush-1", "hush-2"));
        assert!(matches!(secrets.values(Some("other")).await, Err(GroupError::Key { .. })));
        assert_eq!(secrets.change(&BTreeMap::new(), &["A".to_owned()], Some("k")).await.unwrap(), 3);
        assert_eq!(secrets.names().await.unwrap(), ["B"]);
        let kept = store.get(&keys::secrets("g")).await.unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&kept.value).contains("hush"));
    }
}
