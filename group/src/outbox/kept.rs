//! Messages that wait for their broker's acknowledgement, in the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use flotilla_store::{Expect, Store, Write};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::GroupError;
use crate::keys;

/// A message, and whose it is to publish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    replica: String,
    /// The process: another under the same id has not heard of it.
    process: String,
    message: Value,
}

/// The messages of one process, and those that dead ones have left.
#[derive(Clone)]
pub struct Outbox {
    store: Arc<dyn Store>,
    group: String,
    replica: String,
    process: String,
    count: Arc<AtomicU64>,
}

impl Outbox {
    /// For the process of a replica, as in the lease on its id.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str, replica: &str, process: &str) -> Result<Outbox, GroupError> {
        keys::check("group name", group)?;
        let (group, replica, process) = (group.to_owned(), replica.to_owned(), process.to_owned());
        Ok(Outbox { store, group, replica, process, count: Arc::default() })
    }

    /// Keeps a message until [`Outbox::forget`]; what to call it.
    pub async fn keep(&self, message: Value) -> Result<String, GroupError> {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        // Sorted by time, and within a process in order.
        let id = format!("{now_ms:015}-{number:012}-{}", self.replica);
        let value = keys::encode(&self.own(message));
        self.store.set(&keys::outgoing(&self.group, &id), value, Write::default()).await?;
        Ok(id)
    }

    fn own(&self, message: Value) -> Record {
        Record { replica: self.replica.clone(), process: self.process.clone(), message }
    }

    /// The broker has it, or refused it for good.
    pub async fn forget(&self, id: &str) -> Result<(), GroupError> {
        self.store.delete(&keys::outgoing(&self.group, id), None).await?;
        Ok(())
    }

    /// Messages of processes that are gone, in order: they are the caller's to publish from now on. To be asked only where a
    /// replica without a lease can be taken for dead.
    pub async fn take_over(&self) -> Result<Vec<(String, Value)>, GroupError> {
        let prefix = keys::outgoing(&self.group, "");
        let entries = self.store.list(&prefix).await?;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let held = self.store.leases(&keys::member_lease("")).await?;
        let holders: HashMap<String, String> = held.into_iter().map(|lease| (lease.name, lease.holder)).collect();
        let lives = |replica: &str, process: &str| {
            holders.get(&keys::member_lease(replica)).is_some_and(|holder| holder == process)
        };
        if !lives(&self.replica, &self.process) {
            return Ok(Vec::new());
        }
        let mut taken = Vec::new();
        for entry in entries {
            let record: Record = keys::read("a message to be published", &entry)?;
            if lives(&record.replica, &record.process) {
                continue;
            }
            let value = keys::encode(&self.own(record.message.clone()));
            let swapped =
                self.store.cas(&entry.key, Expect::Version(entry.version), Some(value), Write::default()).await?;
            if swapped.is_swapped() {
                taken.push((entry.key[prefix.len()..].to_owned(), record.message));
            }
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn what_a_dead_process_left_is_taken_by_one_in_order() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let outbox = async |replica: &str, process: &str, lives: bool| {
            if lives {
                store.acquire(&keys::member_lease(replica), process, Duration::from_secs(60)).await.unwrap();
            }
            Outbox::new(store.clone(), "g", replica, process).unwrap()
        };
        let (a, b) = (outbox("a", "1", true).await, outbox("b", "1", true).await);
        // A process before the one that lives now, under the same id.
        let before = outbox("a", "0", false).await;
        let gone = before.keep(Value::from(0)).await.unwrap();
        before.keep(Value::from(1)).await.unwrap();
        before.forget(&gone).await.unwrap();
        before.keep(Value::from(2)).await.unwrap();
        let own = a.keep(Value::from(3)).await.unwrap();
        let (one, other) = tokio::join!(a.take_over(), b.take_over());
        let mut all: Vec<Value> = one.unwrap().into_iter().chain(other.unwrap()).map(|(_, message)| message).collect();
        all.sort_by_key(Value::as_u64);
        assert_eq!(all, [Value::from(1), Value::from(2)], "each once, and none of a process that lives");
        assert!(b.take_over().await.unwrap().is_empty());
        a.forget(&own).await.unwrap();
    }
}
