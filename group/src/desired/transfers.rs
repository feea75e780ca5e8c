//! Since when a group knows of a transfer from another installation.

use std::sync::Arc;

use flotilla_store::{Expect, Store, Write};
use serde::{Deserialize, Serialize};

use crate::audit::KEPT;
use crate::digest::digest;
use crate::error::GroupError;
use crate::keys;

/// Since when a group knows of transfers from other installations: what one of them began stands in the audit log behind that
/// place, so that the whole log is never read for it. It is kept as long as audit entries are.
#[derive(Clone)]
pub struct Transfers {
    store: Arc<dyn Store>,
    group: String,
}

#[derive(Serialize, Deserialize)]
struct Known {
    /// The last entry of the audit log then.
    behind: u64,
}

impl Transfers {
    /// Those of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Transfers, GroupError> {
        keys::check("group name", group)?;
        Ok(Transfers { store, group: group.to_owned() })
    }

    /// Behind which entry of the audit log stands what this user's transfer began; `None`: it cannot have begun anything.
    pub async fn behind(&self, user: &str, id: &str) -> Result<Option<u64>, GroupError> {
        let entry = self.store.get(&self.key(user, id)).await?;
        let known = entry.map(|entry| keys::read::<Known>("a transfer", &entry)).transpose()?;
        Ok(known.map(|known| known.behind))
    }

    /// A transfer is about to begin. The first time counts.
    pub async fn begins(&self, user: &str, id: &str, behind: u64) -> Result<(), GroupError> {
        let value = Some(keys::encode(&Known { behind }));
        self.store.cas(&self.key(user, id), Expect::Absent, value, Write::expiring(KEPT)).await?;
        Ok(())
    }

    fn key(&self, user: &str, id: &str) -> String {
        keys::transfer(&self.group, &digest(&format!("{user}\n{id}"), 16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn the_first_time_counts_and_each_user_has_transfers_of_their_own() {
        let folder = tempfile::TempDir::new().unwrap();
        let transfers = Transfers::new(test_store::open(&folder).await, "g").unwrap();
        assert_eq!(transfers.behind("ada", "run 1").await.unwrap(), None);
        for behind in [7, 12] {
            transfers.begins("ada", "run 1", behind).await.unwrap();
        }
        assert_eq!(transfers.behind("ada", "run 1").await.unwrap(), Some(7));
        assert_eq!(transfers.behind("bob", "run 1").await.unwrap(), None);
    }
}
