//! Which groups have somebody who starts and stops replicas.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flotilla_store::{Store, Write};

use crate::error::GroupError;
use crate::keys;

/// A supervisor that says nothing for this long counts as gone.
const TTL: Duration = Duration::from_secs(15);

/// The supervisors of a group: who asks for another number of replicas is told when nobody would act on it.
#[derive(Clone)]
pub struct Supervision {
    store: Arc<dyn Store>,
    group: String,
}

impl Supervision {
    /// The supervisors of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Supervision, GroupError> {
        keys::check("group name", group)?;
        Ok(Supervision { store, group: group.to_owned() })
    }

    /// A supervisor says that it follows the wanted number.
    pub async fn tell(&self) -> Result<(), GroupError> {
        self.store.set(&keys::supervisor(&self.group), Bytes::from_static(b"{}"), Write::expiring(TTL)).await?;
        Ok(())
    }

    /// True while one does.
    pub async fn is_there(&self) -> Result<bool, GroupError> {
        Ok(self.store.get(&keys::supervisor(&self.group)).await?.is_some())
    }
}
