//! A replica's place in the registry, kept by a heartbeat.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::replica::ReplicaRecord;
use flotilla_store::{Acquire, Lease, Store, StoreError, Write};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::GroupError;
use crate::keys;

/// Renewals within one lease.
const BEATS_PER_LEASE: u32 = 3;

type Change = Box<dyn FnOnce(&mut ReplicaRecord) + Send>;

enum Request {
    Update(Change, oneshot::Sender<bool>),
    Leave(oneshot::Sender<()>),
}

/// A replica's place in the registry. The heartbeat ends with [`Registration::leave`], or when the lease is lost.
pub struct Registration {
    requests: mpsc::Sender<Request>,
    lost: CancellationToken,
}

struct Heartbeat {
    store: Arc<dyn Store>,
    lease: Lease,
    holder: String,
    record: ReplicaRecord,
    ttl: Duration,
    measure: Box<dyn Fn(&mut ReplicaRecord) + Send + Sync>,
    lost: CancellationToken,
}

impl Registration {
    /// Joins under a lease on the id. `holder` names the process, among all on all machines: in containers every process
    /// has the same pid. `measure` fills in load and counts before each renewal.
    ///
    /// # Errors
    /// [`GroupError::IdTaken`] while another process holds the id, [`GroupError::BadName`] for a name with characters
    /// that do not fit, or what the store said.
    pub async fn join(
        store: Arc<dyn Store>,
        record: ReplicaRecord,
        holder: &str,
        ttl: Duration,
        measure: impl Fn(&mut ReplicaRecord) + Send + Sync + 'static,
    ) -> Result<Registration, GroupError> {
        if !record.group.is_empty() {
            keys::check("group name", &record.group)?;
        }
        keys::check("replica id", &record.id)?;
        let lease = match store.acquire(&keys::member_lease(&record.id), holder, ttl).await? {
            Acquire::Granted(lease) => lease,
            Acquire::Held(held) => {
                return Err(GroupError::IdTaken { id: record.id, remaining_ms: held.remaining.as_millis() });
            }
        };
        let (requests, inbox) = mpsc::channel(16);
        let lost = CancellationToken::new();
        let (measure, holder) = (Box::new(measure), holder.to_owned());
        let mut heartbeat = Heartbeat { store, lease, holder, record, ttl, measure, lost: lost.clone() };
        heartbeat.write().await?;
        tokio::spawn(heartbeat.run(inbox));
        Ok(Registration { requests, lost })
    }

    /// Changes the record. True when it was written under a lease that is held; otherwise the heartbeat writes it with
    /// the next renewal, if the lease is still ours then.
    pub async fn update(&self, change: impl FnOnce(&mut ReplicaRecord) + Send + 'static) -> bool {
        let (done, written) = oneshot::channel();
        if self.requests.send(Request::Update(Box::new(change), done)).await.is_err() {
            return false;
        }
        written.await.unwrap_or(false)
    }

    /// Fires when the lease is lost: somebody else may have the id, so this process must stop taking work.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Leaves: the record is removed and the lease given back.
    pub async fn leave(self) {
        let (done, left) = oneshot::channel();
        if self.requests.send(Request::Leave(done)).await.is_ok() {
            let _ = left.await;
        }
    }
}

impl Heartbeat {
    async fn write(&mut self) -> Result<(), StoreError> {
        (self.measure)(&mut self.record);
        self.record.beat += 1;
        let value = keys::encode(&self.record);
        let key = keys::member(&self.record.group, &self.record.id);
        let write = Write { ttl: Some(self.ttl), fence: Some(self.lease.fence()) };
        self.store.set(&key, value, write).await.map(drop)
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<Request>) {
        let beat = self.ttl / BEATS_PER_LEASE;
        let mut next = Instant::now() + beat;
        let mut away = false;
        loop {
            let done = tokio::select! {
                () = tokio::time::sleep_until(next) => {
                    next = Instant::now() + beat;
                    None
                }
                request = inbox.recv() => match request {
                    Some(Request::Update(change, done)) => {
                        change(&mut self.record);
                        Some(done)
                    }
                    Some(Request::Leave(done)) => {
                        self.leave().await;
                        let _ = done.send(());
                        return;
                    }
                    None => return,
                },
            };
            let renewed = match self.store.renew(&self.lease).await {
                Ok(lease) => {
                    self.lease = lease;
                    self.write().await
                }
                Err(error) => Err(error),
            };
            if let Some(done) = done {
                let _ = done.send(renewed.is_ok());
            }
            match renewed {
                Ok(()) => away = false,
                // After an outage the lease has run out in the store, and nobody could have acted on it meanwhile.
                Err(StoreError::Fenced { .. }) if away => {
                    if !self.reacquire().await {
                        return self.lose("it ran out while the store was away, and another process took it over");
                    }
                }
                Err(StoreError::Fenced { .. }) => return self.lose("it ran out, or another process holds it"),
                Err(error) => {
                    away = true;
                    tracing::warn!(%error, "cannot renew the lease on this replica's id; the flows go on");
                }
            }
        }
    }

    /// True when the id is ours again with everything that belongs to it, or the store cannot say yet.
    async fn reacquire(&mut self) -> bool {
        match self.store.acquire(&keys::member_lease(&self.record.id), &self.holder, self.ttl).await {
            Ok(Acquire::Granted(lease)) => self.lease = lease,
            Ok(Acquire::Held(_)) => return false,
            Err(_) => return true,
        }
        // Whoever takes over a dead replica's sessions says so under this very lease, before touching them.
        !matches!(self.store.get(&keys::taken_over(&self.record.id)).await, Ok(Some(_)))
    }

    fn lose(&self, why: &str) {
        tracing::error!(id = self.record.id, "the lease on this replica's id is lost: {why}");
        self.lost.cancel();
    }

    async fn leave(&self) {
        let key = keys::member(&self.record.group, &self.record.id);
        let removed = self.store.delete(&key, Some(self.lease.fence())).await.map(drop);
        if let Err(error) = removed.and(self.store.release(&self.lease).await.map(drop)) {
            tracing::warn!(%error, "cannot leave the registry; the lease runs out by itself");
        }
    }
}
