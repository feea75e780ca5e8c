//! The alerts of a group in the store.

use std::sync::Arc;
use std::time::Duration;

use flotilla_store::{Acquire, Fence, Lease, Store, Write};

use super::book::Book;
use crate::error::GroupError;
use crate::keys;

/// The alerts of a group in the store.
#[derive(Clone)]
pub struct Books {
    store: Arc<dyn Store>,
    group: String,
}

impl Books {
    /// Those of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Books, GroupError> {
        keys::check("group name", group)?;
        Ok(Books { store, group: group.to_owned() })
    }

    /// Asks to be the one that raises alerts: one gateway does, so that each cause is one alert.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn lead(&self, holder: &str, ttl: Duration) -> Result<Option<Lease>, GroupError> {
        let acquired: Acquire = self.store.acquire(&keys::alert_lease(&self.group), holder, ttl).await?;
        Ok(acquired.granted())
    }

    /// What there is.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn load(&self) -> Result<Book, GroupError> {
        match self.store.get(&keys::alerts(&self.group)).await? {
            Some(entry) => keys::read("the alerts", &entry),
            None => Ok(Book::default()),
        }
    }

    /// Writes it, as the one that leads.
    ///
    /// # Errors
    /// While the store is away, and when another leads by now.
    pub async fn save(&self, book: &Book, fence: Fence) -> Result<(), GroupError> {
        self.store.set(&keys::alerts(&self.group), keys::encode(book), Write::fenced(fence)).await?;
        Ok(())
    }
}
