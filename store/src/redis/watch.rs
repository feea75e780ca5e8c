//! Watches: a task listens to the published changes, and notices when one is missing.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt;

use crate::contract::{Result, StoreError, Watch};
use crate::remote::io;
use crate::watch::{Hub, background};

use super::client::Redis;

/// How often expired entries are taken away and the newest change is asked for while somebody watches.
const CHECK: Duration = Duration::from_secs(2);
/// The pause before the connection is made again.
const PAUSE: Duration = Duration::from_millis(100);
/// How many changes are read at once.
const BATCH: usize = 128;

/// Listens for the watches of one store. Ends when the store is dropped or nobody watches any more.
struct Listener {
    hub: Weak<Hub>,
    redis: Redis,
    /// The changes up to this one were told.
    told: u64,
}

/// Begins a watch.
pub(super) fn watch(hub: &Arc<Hub>, redis: &Redis, prefix: &str) -> Result<Watch> {
    hub.add(prefix, || {
        let listener = Listener { hub: Arc::downgrade(hub), redis: redis.clone(), told: 0 };
        background("redis watch", listener.redis.place()).spawn_on(io().handle(), listener.run());
        Ok(())
    })
}

impl Listener {
    async fn run(mut self) {
        let mut failing = false;
        loop {
            match self.listen(&mut failing).await {
                Ok(()) => return,
                Err(error) if !failing => {
                    failing = true;
                    tracing::warn!(store = self.redis.place(), %error, "the store's changes cannot be read; trying again");
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
    async fn listen(&mut self, failing: &mut bool) -> Result<()> {
        let connect = tokio::time::timeout(self.redis.timeout, self.redis.changes());
        let changes = connect.await.map_err(|_| self.gap("no connection in time"))??;
        let mut changes = changes.into_on_message().ready_chunks(BATCH);
        // Whatever was written until now is in the listing that the resync asks for.
        self.told = self.newest().await?;
        match self.hub.upgrade() {
            Some(hub) => hub.resync(),
            None => return Ok(()),
        }
        *failing = false;
        let mut check = tokio::time::interval(CHECK);
        let mut behind = None;
        loop {
            tokio::select! {
                batch = changes.next() => {
                    let Some(batch) = batch else { return Err(self.gap("the connection was closed")) };
                    let payloads = batch.iter().map(redis::Msg::get_payload_bytes);
                    self.tell(payloads.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()).await?;
                }
                _ = check.tick() => {
                    if self.hub.upgrade().is_none_or(|hub| !hub.retain()) {
                        return Ok(());
                    }
                    // A connection that died without a word: changes happen, and none of them arrives.
                    let newest = self.newest().await?;
                    if newest < self.told {
                        return Err(self.gap("another server took over, without the last changes"));
                    }
                    if behind == Some(self.told) {
                        return Err(self.gap("changes stopped arriving"));
                    }
                    behind = (newest > self.told).then_some(self.told);
                }
            }
        }
    }

    /// Takes expired entries away; answers the newest change's number.
    async fn newest(&self) -> Result<u64> {
        let sweep = tokio::time::timeout(self.redis.timeout, self.redis.run("sweep", &[b"200"]));
        sweep.await.map_err(|_| self.gap("no answer in time"))??.number(1)
    }

    async fn tell(&mut self, changes: Vec<String>) -> Result<()> {
        let Some(hub) = self.hub.upgrade() else { return Ok(()) };
        let mut keys: Vec<&str> = Vec::new();
        for change in &changes {
            let mut parts = change.splitn(3, ' ');
            let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
            let (Some(before), Some(this)) = (number(), number()) else { return Err(self.gap("an unreadable change")) };
            if this <= self.told {
                continue;
            }
            if before > self.told {
                hub.resync();
            }
            self.told = this;
            keys.extend(parts.next().filter(|key| !key.is_empty() && hub.wants(key)));
        }
        keys.sort_unstable();
        keys.dedup();
        if keys.is_empty() {
            return Ok(());
        }
        let args: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
        let many = tokio::time::timeout(self.redis.timeout, self.redis.run("many", &args));
        let reply = many.await.map_err(|_| self.gap("no answer in time"))??;
        for row in 0..reply.rows() {
            let key = reply.text(1 + row * 4)?;
            hub.tell(&key, reply.entry(&key, 2 + row * 4)?.as_ref());
        }
        Ok(())
    }

    fn gap(&self, reason: &str) -> StoreError {
        StoreError::Unavailable { store: self.redis.place().to_owned(), reason: reason.to_owned() }
    }
}
