//! In which group a replica is to be, where users said so.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::replica::ReplicaRecord;
use flotilla_store::{Entry, Expect, Store, Write};
use serde::{Deserialize, Serialize};

use super::registry::Registry;
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;
/// Looks for a replica that is not in the registry, and what lies between two of them.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(100);

/// What users said of a replica's group. It outlives the process: one that starts again under the same id is in the
/// same group. A replica of which nothing was said is in the group that it was started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The replica's id.
    pub replica: String,
    /// Its group; `None` when it is to be in none.
    pub group: Option<String>,
    /// Since when, milliseconds of the store's clock.
    pub since_ms: u64,
}

/// Puts replicas into groups and takes them out.
#[derive(Clone)]
pub struct Memberships {
    store: Arc<dyn Store>,
}

impl Memberships {
    /// The memberships of a store.
    pub fn new(store: Arc<dyn Store>) -> Memberships {
        Memberships { store }
    }

    /// Where the store keeps what users said of a replica: what [`Changes`](crate::Changes) are to be of.
    pub fn key(replica: &str) -> String {
        keys::membership(replica)
    }

    /// What users said of a replica.
    pub async fn get(&self, replica: &str) -> Result<Option<Membership>, GroupError> {
        keys::check("replica id", replica)?;
        let entry = self.store.get(&keys::membership(replica)).await?;
        entry.map(|entry| keys::read("a replica's membership", &entry)).transpose()
    }

    /// Puts a living replica into a group.
    ///
    /// # Errors
    /// [`GroupError::MemberElsewhere`] while it is in another, [`GroupError::IsMember`], [`GroupError::NoReplica`].
    pub async fn add(&self, replica: &str, group: &str) -> Result<(), GroupError> {
        keys::check("group name", group)?;
        let (replica_name, name) = (replica.to_owned(), group.to_owned());
        self.change(replica, Some(group), |now| match now {
            Some(now) if now == name => {
                Err(GroupError::IsMember { replica: replica_name.clone(), group: name.clone() })
            }
            Some(now) => Err(GroupError::MemberElsewhere { replica: replica_name.clone(), group: now.to_owned() }),
            None => Ok(()),
        })
        .await
    }

    /// Takes a replica out of its group: it drains, leaves, and waits for another.
    ///
    /// # Errors
    /// [`GroupError::NotMember`], [`GroupError::NoReplica`].
    pub async fn remove(&self, replica: &str, group: &str) -> Result<(), GroupError> {
        keys::check("group name", group)?;
        self.change(replica, None, |now| is_in(replica, group, now)).await
    }

    /// That a living replica is in a group.
    ///
    /// # Errors
    /// [`GroupError::NotMember`], [`GroupError::NoReplica`].
    pub async fn check(&self, replica: &str, group: &str) -> Result<(), GroupError> {
        keys::check("group name", group)?;
        let (_, now) = self.now(replica).await?;
        is_in(replica, group, now.as_deref())
    }

    /// What is said of a living replica, and the group that it is in.
    async fn now(&self, replica: &str) -> Result<(Option<Entry>, Option<String>), GroupError> {
        let living = self.living(replica).await?;
        let entry = self.store.get(&keys::membership(replica)).await?;
        let now = match &entry {
            Some(entry) => keys::read::<Membership>("a replica's membership", entry)?.group,
            None => Some(living.group).filter(|group| !group.is_empty()),
        };
        Ok((entry, now))
    }

    /// A replica that lives. One that changes its group is in the registry of neither for a moment.
    async fn living(&self, replica: &str) -> Result<ReplicaRecord, GroupError> {
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(LOOK).await;
            }
            if let Some(living) = Registry::find(&self.store, replica).await? {
                return Ok(living);
            }
        }
        Err(GroupError::NoReplica(replica.to_owned()))
    }

    async fn change(
        &self,
        replica: &str,
        to: Option<&str>,
        check: impl Fn(Option<&str>) -> Result<(), GroupError>,
    ) -> Result<(), GroupError> {
        let key = keys::membership(replica);
        for _ in 0..ATTEMPTS {
            let (entry, now) = self.now(replica).await?;
            check(now.as_deref())?;
            let since_ms = now_ms(&*self.store).await?;
            let next = Membership { replica: replica.to_owned(), group: to.map(str::to_owned), since_ms };
            let value = keys::encode(&next);
            let expected = entry.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            if self.store.cas(&key, expected, Some(value), Write::default()).await?.is_swapped() {
                return Ok(());
            }
        }
        Err(GroupError::Busy { group: to.unwrap_or_default().to_owned() })
    }
}

fn is_in(replica: &str, group: &str, now: Option<&str>) -> Result<(), GroupError> {
    match now {
        Some(now) if now == group => Ok(()),
        _ => Err(GroupError::NotMember { replica: replica.to_owned(), group: group.to_owned() }),
    }
}
