//! A replica's place in the registry, kept by a heartbeat.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::replica::ReplicaRecord;
use flotilla_store::{Acquire, Lease, Moment, Store, StoreError, Write};
use flotilla_tasks::Task;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::standing::Standing;
use crate::error::GroupError;
use crate::keys;

/// Renewals within one lease.
const BEATS_PER_LEASE: u32 = 3;

type Change = Box<dyn FnOnce(&mut ReplicaRecord) + Send>;

pub(super) enum Request {
    Update(Change, oneshot::Sender<bool>),
    /// Renew now; true when the lease had not run out.
    Prove(oneshot::Sender<bool>),
    Leave(oneshot::Sender<()>),
}

/// A replica's place in the registry. The heartbeat ends with [`Registration::leave`], or when the lease is lost.
#[derive(Clone)]
pub struct Registration {
    requests: mpsc::Sender<Request>,
    standing: Standing,
    lost: CancellationToken,
}

struct Heartbeat {
    store: Arc<dyn Store>,
    lease: Lease,
    holder: String,
    record: ReplicaRecord,
    ttl: Duration,
    measure: Box<dyn Fn(&mut ReplicaRecord) + Send + Sync>,
    standing: Standing,
    lost: CancellationToken,
    /// The lease was taken up again, and the store has not said yet that nobody took our sessions meanwhile.
    unsure: bool,
    /// Since when another process holds the lease without having said that it took our sessions over.
    held_since: Option<Moment>,
}

/// How a look at the lease ended.
enum Beat {
    /// Renewed in time.
    Renewed,
    /// It had run out and is ours again: nobody took it.
    TakenUp,
    /// The store did not answer, or another process looks whether we are dead.
    Unknown(String),
    /// It is somebody else's.
    Lost(&'static str),
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
        let standing = Standing::new(ttl, requests.downgrade());
        let mut heartbeat = Heartbeat {
            store,
            lease,
            holder: holder.to_owned(),
            record,
            ttl,
            measure: Box::new(measure),
            standing: standing.clone(),
            lost: lost.clone(),
            unsure: false,
            held_since: None,
        };
        // Of an earlier process with this id.
        heartbeat.store.delete(&keys::taken_over(&heartbeat.record.id), Some(heartbeat.lease.fence())).await?;
        heartbeat.write().await?;
        let task = Task {
            name: "heartbeat",
            owner: heartbeat.record.id.as_str().into(),
            ends: "the replica leaves or loses its lease",
            failure: "the replica takes no more work, as if its lease were lost",
        };
        let (failed, standing_lost) = (lost.clone(), standing.clone());
        let beating = task.clone().supervise_then(heartbeat.run(inbox), move |_| {
            standing_lost.lost();
            failed.cancel();
        });
        task.spawn(beating);
        Ok(Registration { requests, standing, lost })
    }

    /// What this replica knows of its own place.
    pub fn standing(&self) -> Standing {
        self.standing.clone()
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
        loop {
            let (mut written, mut proven) = (None, None);
            tokio::select! {
                () = tokio::time::sleep_until(next) => next = Instant::now() + beat,
                request = inbox.recv() => match request {
                    Some(Request::Update(change, done)) => {
                        change(&mut self.record);
                        written = Some(done);
                    }
                    Some(Request::Prove(done)) => proven = Some(done),
                    Some(Request::Leave(done)) => {
                        self.leave().await;
                        let _ = done.send(());
                        return;
                    }
                    None => return,
                },
            }
            let sent = Moment::now();
            let looked = self.look().await;
            let (is_written, is_proven) =
                (matches!(looked, Beat::Renewed | Beat::TakenUp), matches!(looked, Beat::Renewed));
            match looked {
                Beat::Renewed => self.standing.renewed(sent),
                Beat::TakenUp => {
                    self.standing.broken(sent);
                    tracing::warn!(
                        id = self.record.id,
                        "the lease on this replica's id had expired and is renewed: no other process had it"
                    );
                }
                Beat::Unknown(why) => {
                    self.standing.broken(sent);
                    tracing::warn!(why, "cannot renew the lease on this replica's id; the flows go on");
                }
                Beat::Lost(why) => self.lose(why),
            }
            // After the standing: who asked looks at it next.
            if let Some(done) = written {
                let _ = done.send(is_written);
            }
            if let Some(done) = proven {
                let _ = done.send(is_proven);
            }
            if self.lost.is_cancelled() {
                return;
            }
        }
    }

    /// Renews the lease and writes the record; takes the lease up again when it ran out and nobody took it.
    async fn look(&mut self) -> Beat {
        if self.unsure {
            return self.reacquire().await;
        }
        match self.store.renew(&self.lease).await {
            Ok(lease) => self.lease = lease,
            Err(StoreError::Fenced { .. }) => return self.reacquire().await,
            Err(error) => return Beat::Unknown(error.to_string()),
        }
        match self.write().await {
            Ok(()) => Beat::Renewed,
            Err(StoreError::Fenced { .. }) => self.reacquire().await,
            Err(error) => Beat::Unknown(error.to_string()),
        }
    }

    /// A lease runs out while the store is away, while all processes are paused and when the store's clock is put
    /// forward. As long as nobody has acted on that, the id is ours. Whoever takes over our sessions says so under this
    /// very lease before touching them.
    async fn reacquire(&mut self) -> Beat {
        match self.store.acquire(&keys::member_lease(&self.record.id), &self.holder, self.ttl).await {
            Ok(Acquire::Granted(lease)) => (self.lease, self.held_since) = (lease, None),
            Ok(Acquire::Held(held)) if keys::is_adopter(&held.holder) => {
                // It may find that it was blind itself, and give the lease back.
                let since = *self.held_since.get_or_insert_with(Moment::now);
                return match self.is_taken_over().await {
                    Ok(false) if since.elapsed() < 2 * self.ttl => {
                        Beat::Unknown("another replica looks whether this one is dead".to_owned())
                    }
                    Ok(_) => Beat::Lost("it ran out, and another replica took over its sessions"),
                    Err(error) => Beat::Unknown(error.to_string()),
                };
            }
            Ok(Acquire::Held(_)) => return Beat::Lost("it ran out, and another process has the id now"),
            Err(error) => return Beat::Unknown(error.to_string()),
        }
        self.unsure = true;
        match self.is_taken_over().await {
            Ok(false) => self.unsure = false,
            Ok(true) => return Beat::Lost("it ran out, and another replica took over its sessions"),
            Err(error) => return Beat::Unknown(error.to_string()),
        }
        match self.write().await {
            Ok(()) => Beat::TakenUp,
            Err(error) => Beat::Unknown(error.to_string()),
        }
    }

    async fn is_taken_over(&self) -> Result<bool, StoreError> {
        Ok(self.store.get(&keys::taken_over(&self.record.id)).await?.is_some())
    }

    fn lose(&self, why: &str) {
        tracing::error!(id = self.record.id, "the lease on this replica's id is lost: {why}");
        self.standing.lost();
        self.lost.cancel();
    }

    async fn leave(&self) {
        let key = keys::member(&self.record.group, &self.record.id);
        let removed = self.store.delete(&key, Some(self.lease.fence())).await.map(drop);
        if let Err(error) = removed.and(self.store.release(&self.lease).await.map(drop)) {
            tracing::warn!(%error, "cannot leave the registry; the lease will expire");
        }
    }
}
