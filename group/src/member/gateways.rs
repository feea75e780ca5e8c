//! To which replicas each gateway routes: a replica that drains waits until none sends it requests.

use std::sync::Arc;
use std::time::Duration;

use flotilla_store::{Entry, Store, Write};
use serde::{Deserialize, Serialize};

use crate::error::GroupError;
use crate::keys;
use crate::sealing::KeyRing;

/// A gateway that says nothing for this long counts as gone.
const TTL: Duration = Duration::from_secs(3);

/// To which replicas the gateways of a group route.
#[derive(Clone)]
pub struct Gateways {
    store: Arc<dyn Store>,
    group: String,
    holds: Option<KeyRing>,
}

#[derive(Serialize, Deserialize)]
struct Routes {
    replicas: Vec<String>,
    /// The fingerprint of the group's key that it is started with next; empty: none.
    #[serde(default)]
    key: String,
}

impl Gateways {
    /// How often a gateway says to whom it routes, at least.
    pub const PERIOD: Duration = Duration::from_secs(1);

    /// The gateways of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Gateways, GroupError> {
        keys::check("group name", group)?;
        Ok(Gateways { store, group: group.to_owned(), holds: None })
    }

    /// The same for a gateway that has these keys: it tells which one it is started with next.
    pub fn holding(self, keys: KeyRing) -> Gateways {
        Gateways { holds: Some(keys), ..self }
    }

    /// The gateways of the group, and the fingerprint of the key that each is started with next.
    pub async fn keys(&self) -> Result<Vec<(String, String)>, GroupError> {
        let prefix = keys::gateways(&self.group);
        let entries = self.store.list(&prefix).await?;
        let id = |entry: &Entry| entry.key[prefix.len()..].to_owned();
        entries.iter().map(|entry| Ok((id(entry), keys::read::<Routes>("a gateway's routes", entry)?.key))).collect()
    }

    /// A gateway says to whom it routes from now on. `id` is unique per process.
    pub async fn tell(&self, id: &str, replicas: Vec<String>) -> Result<(), GroupError> {
        let mut key = String::new();
        if let Some(keys) = &self.holds {
            // A key that is out of use holds up no route: who uses it hears of it.
            let _ = keys.keys().await;
            key = keys.next_start();
        }
        let value = keys::encode(&Routes { replicas, key });
        self.store.set(&keys::gateway(&self.group, id), value, Write::expiring(TTL)).await?;
        Ok(())
    }

    /// How many gateways of the group live.
    pub async fn count(&self) -> Result<usize, GroupError> {
        Ok(self.store.list(&keys::gateways(&self.group)).await?.len())
    }

    /// True while a living gateway routes to a replica.
    pub async fn route_to(&self, replica: &str) -> Result<bool, GroupError> {
        for entry in self.store.list(&keys::gateways(&self.group)).await? {
            let routes: Routes = keys::read("a gateway's routes", &entry)?;
            if routes.replicas.iter().any(|id| id == replica) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
