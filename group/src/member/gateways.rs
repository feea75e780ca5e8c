//! To which replicas each gateway routes: a replica that drains waits until none sends it requests.

use std::sync::Arc;
use std::time::Duration;

use flotilla_store::{Store, Write};
use serde::{Deserialize, Serialize};

use crate::error::GroupError;
use crate::keys;

/// A gateway that says nothing for this long counts as gone.
const TTL: Duration = Duration::from_secs(3);

/// To which replicas the gateways of a group route.
#[derive(Clone)]
pub struct Gateways {
    store: Arc<dyn Store>,
    group: String,
}

#[derive(Serialize, Deserialize)]
struct Routes {
    replicas: Vec<String>,
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
        Ok(Gateways { store, group: group.to_owned() })
    }

    /// A gateway says to whom it routes from now on. `id` is unique per process.
    pub async fn tell(&self, id: &str, replicas: Vec<String>) -> Result<(), GroupError> {
        let value = keys::encode(&Routes { replicas });
        self.store.set(&keys::gateway(&self.group, id), value, Write::expiring(TTL)).await?;
        Ok(())
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
