//! Watches: a connection of their own that is told of every change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use flotilla_tasks::Handle;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_postgres::AsyncMessage;

use crate::contract::{Result, StoreError, Watch};
use crate::remote::io;
use crate::watch::{Hub, background};

use super::client::Postgres;
use super::store::entry;

/// How often the connection is tried, and the watches that nobody reads are dropped.
const CHECK: Duration = Duration::from_secs(1);
/// The pause before the connection is made again.
const PAUSE: Duration = Duration::from_millis(100);
/// How many changes wait to be told; past it the watches list again.
const QUEUE: usize = 4096;
/// How many changes are read at once.
const BATCH: usize = 128;

/// Listens for the watches of one store. Ends when the store is dropped or nobody watches any more.
struct Listener {
    hub: Weak<Hub>,
    postgres: Postgres,
}

/// Begins a watch.
pub(super) fn watch(hub: &Arc<Hub>, postgres: &Postgres, prefix: &str) -> Result<Watch> {
    hub.add(prefix, || {
        let listener = Listener { hub: Arc::downgrade(hub), postgres: postgres.clone() };
        background("postgres watch", &postgres.place).spawn_on(io().handle(), listener.run());
        Ok(())
    })
}

impl Listener {
    async fn run(self) {
        let mut failing = false;
        loop {
            match self.listen(&mut failing).await {
                Ok(()) => return,
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(store = %self.postgres.place, %error, "the store's changes cannot be read; trying again");
                }
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
            if self.hub.upgrade().is_none_or(|hub| !hub.retain()) {
                return;
            }
        }
    }

    /// Listens on one connection until it fails, or until nobody watches any more.
    async fn listen(&self, failing: &mut bool) -> Result<()> {
        let (client, mut connection) = self.in_time(self.postgres.connect()).await?;
        let (sender, mut changes) = mpsc::channel(QUEUE);
        let overflow = Arc::new(AtomicBool::new(false));
        let lost = overflow.clone();
        // Ends with the connection, which ends when `client` is dropped.
        let task = background("postgres connection", &self.postgres.place);
        let driver = task.spawn_on(io().handle(), async move {
            let mut messages = futures::stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(change) = message
                    && let Err(mpsc::error::TrySendError::Full(_)) = sender.try_send(change.payload().to_owned())
                {
                    lost.store(true, Ordering::Release);
                }
            }
        });
        let _stop = AbortOnDrop(driver);
        let listen = format!("LISTEN {}", self.postgres.namespace);
        self.ask(client.batch_execute(&listen)).await?;
        match self.hub.upgrade() {
            Some(hub) => hub.resync(),
            None => return Ok(()),
        }
        *failing = false;
        let mut check = tokio::time::interval(CHECK);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                count = changes.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return Err(self.away("the connection was closed"));
                    }
                    let Some(hub) = self.hub.upgrade() else { return Ok(()) };
                    if overflow.swap(false, Ordering::AcqRel) {
                        hub.resync();
                    }
                    self.tell(&hub, std::mem::take(&mut batch)).await?;
                }
                _ = check.tick() => {
                    if self.hub.upgrade().is_none_or(|hub| !hub.retain()) {
                        return Ok(());
                    }
                    self.ask(client.batch_execute("")).await?;
                }
            }
        }
    }

    async fn tell(&self, hub: &Hub, mut keys: Vec<String>) -> Result<()> {
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| hub.wants(key));
        if keys.is_empty() {
            return Ok(());
        }
        let sql = "SELECT key, value, version, expires FROM {ns}.entry
            WHERE key = ANY($1) AND (expires IS NULL OR expires > clock_timestamp())";
        let rows = self.in_time(self.postgres.rows(sql, &[&keys])).await?;
        let mut entries: Vec<_> = rows.iter().map(|row| entry(row, 0)).collect();
        for key in keys {
            let at = entries.iter().position(|entry| entry.key == key);
            hub.tell(&key, at.map(|at| entries.swap_remove(at)).as_ref());
        }
        Ok(())
    }

    async fn ask(&self, work: impl Future<Output = std::result::Result<(), tokio_postgres::Error>>) -> Result<()> {
        self.in_time(async { work.await.map_err(|error| self.away(&error.to_string())) }).await
    }

    async fn in_time<R>(&self, work: impl Future<Output = Result<R>>) -> Result<R> {
        tokio::time::timeout(self.postgres.timeout, work).await.unwrap_or_else(|_| Err(self.away("no answer in time")))
    }

    fn away(&self, reason: &str) -> StoreError {
        StoreError::Unavailable { store: self.postgres.place.clone(), reason: reason.to_owned() }
    }
}

struct AbortOnDrop(Handle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
