//! What the sessions of dead replicas hold is finished here: each has one owner at a time, for as long as it takes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use flotilla_engine::Shared;
use flotilla_group::member::Standing;
use flotilla_group::session::{Kept, Orphans, Sessions};
use flotilla_nodes_network::mqtt::{Guard, KeptSession, Suspects, adopt};
use flotilla_store::{Lease, StoreError};
use flotilla_tasks::Task;
use futures::future::{BoxFuture, join_all};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How often orphans are looked for.
const LOOK: Duration = Duration::from_millis(500);
/// A session that so many processes did not finish runs one message at a time.
const CAREFUL: u32 = 1;
/// How many dead replicas' sessions are finished at the same time.
const AT_ONCE: usize = 16;

/// Looks for dead replicas' sessions and finishes them.
#[derive(Clone)]
pub struct Finisher {
    /// The engine whose flow the messages run through.
    pub shared: Arc<Shared>,
    /// The group's sessions.
    pub sessions: Sessions,
    /// What this replica knows of its own place.
    pub standing: Standing,
    /// This replica's id.
    pub replica: String,
    /// This process, as in the lease on its id.
    pub process: String,
    /// For how long an id is taken at once.
    pub ttl: Duration,
}

/// Whose a dead replica's id is, as far as this process knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Ours,
    /// The store does not say.
    Unknown,
    Another,
}

/// Notes with which message of a session this process may die.
#[derive(Clone)]
struct Noting {
    sessions: Sessions,
    client: String,
    process: String,
}

/// Says at the end that this process has not died with a session.
struct Calm(Option<Noting>);

impl Calm {
    /// Says it now, while the session is nobody else's.
    async fn say(&mut self) {
        if let Some(noting) = &self.0 {
            noting.calm().await;
        }
        self.0 = None;
    }
}

impl Noting {
    async fn calm(&self) {
        if let Err(error) = self.sessions.calm(&self.client, &self.process).await {
            tracing::debug!(%error, client = self.client, "cannot say that an MQTT session was left in order");
        }
    }
}

impl Drop for Calm {
    fn drop(&mut self) {
        let Some(noting) = self.0.take() else { return };
        let task = Task {
            name: "end of an adoption",
            owner: noting.client.as_str().into(),
            ends: "the store has it",
            failure: "one more process counts as dead with the session",
        };
        drop(task.spawn(async move { noting.calm().await }));
    }
}

impl Suspects for Noting {
    fn note(&self, digest: String) -> BoxFuture<'static, Option<u32>> {
        let noting = self.clone();
        Box::pin(async move { noting.sessions.note(&noting.client, &noting.process, &digest).await.ok() })
    }
}

#[derive(Debug)]
struct Adopting(watch::Receiver<Owner>);

impl Guard for Adopting {
    fn is_current(&self) -> bool {
        *self.0.borrow() != Owner::Another
    }

    fn until_current(&self) -> BoxFuture<'static, bool> {
        let ours = self.is_current();
        Box::pin(std::future::ready(ours))
    }

    fn may_connect(&self, taken: bool) -> BoxFuture<'static, bool> {
        let mut owner = self.0.clone();
        Box::pin(async move {
            // A closed channel: the adoption was given up.
            let known = owner.wait_for(|owner| !taken || *owner != Owner::Unknown).await;
            known.is_ok_and(|owner| *owner != Owner::Another)
        })
    }
}

fn task(replica: &str) -> Task {
    Task {
        name: "orphaned sessions of one replica",
        owner: replica.into(),
        ends: "they are finished, or another replica has them",
        failure: "they are tried again; messages in work here are not acknowledged",
    }
}

impl Finisher {
    /// Does not end; whoever drops it leaves the rest to other replicas, as the taken ids' leases run out.
    pub async fn run(self) {
        let mut timer = tokio::time::interval(LOOK);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut tasks = JoinSet::new();
        let mut under_way: HashSet<String> = HashSet::new();
        loop {
            tokio::select! {
                _ = timer.tick() => {}
                Some(ended) = tasks.join_next() => {
                    if let Ok(replica) = ended {
                        under_way.remove(&replica);
                    }
                    continue;
                }
            }
            match self.sessions.orphans(&self.replica, &self.standing).await {
                Ok(orphans) => {
                    for found in orphans {
                        if tasks.len() < AT_ONCE && under_way.insert(found.replica.clone()) {
                            let own = self.clone();
                            let replica = found.replica.clone();
                            let work = task(&replica).supervise(async move { own.finish(&found).await });
                            // A panic was reported, and another try is due: the lease decides who.
                            tasks.spawn(async move {
                                let _ = work.await;
                                replica
                            });
                        }
                    }
                }
                Err(error) => tracing::debug!(%error, "cannot look for sessions of dead replicas"),
            }
        }
    }

    async fn finish(&self, found: &Orphans) {
        match self.sessions.take_over(&found.replica, &self.process, self.ttl, &self.standing).await {
            Ok(Some(lease)) => self.finish_all(found, lease).await,
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, replica = found.replica, "the sessions of a dead replica wait");
            }
        }
    }

    async fn finish_all(&self, found: &Orphans, lease: Lease) {
        // It may have recorded more since.
        let sessions = self.sessions.of(&found.replica).await.unwrap_or_else(|_| found.sessions.clone());
        let (owner, guard) = watch::channel(Owner::Ours);
        let adopting = join_all(sessions.iter().map(|kept| self.finish_one(kept, guard.clone())));
        tokio::select! {
            _ = adopting => {}
            () = self.keep(&lease, &owner) => {
                tracing::warn!(replica = found.replica, "another replica continues with the sessions of a dead replica");
                return;
            }
        }
        if let Err(error) = self.sessions.release(&lease).await {
            tracing::debug!(%error, "cannot release a dead replica's id; the lease will expire");
        }
    }

    /// Keeps the dead replica's id for as long as that takes. Ends when another process has it. While the store is away
    /// the work goes on: nobody else can take the id then.
    async fn keep(&self, lease: &Lease, owner: &watch::Sender<Owner>) {
        let mut lease = lease.clone();
        loop {
            tokio::time::sleep(self.ttl / 3).await;
            let renewed = match self.sessions.keep(&lease).await {
                Err(StoreError::Fenced { .. }) => self.sessions.take_again(&lease).await,
                other => other.map(Some),
            };
            match renewed {
                Ok(Some(renewed)) => {
                    lease = renewed;
                    owner.send_replace(Owner::Ours);
                }
                Ok(None) => {
                    owner.send_replace(Owner::Another);
                    return;
                }
                Err(_) => drop(owner.send_replace(Owner::Unknown)),
            }
        }
    }

    async fn finish_one(&self, kept: &Kept, owner: watch::Receiver<Owner>) {
        let session: KeptSession = match serde_json::from_value(kept.session.clone()) {
            Ok(session) => session,
            Err(error) => {
                tracing::warn!(%error, client = kept.client_id, "the record of an MQTT session cannot be read");
                return self.give_up(kept).await;
            }
        };
        let begun = self.begin(kept).await;
        let careful = begun >= CAREFUL;
        tracing::info!(
            replica = kept.replica,
            client = kept.client_id,
            careful,
            "finishes the MQTT session of a dead replica"
        );
        // Dropped before it has ended, as when this replica stops: nobody died.
        let (client, process) = (kept.client_id.clone(), self.process.clone());
        let noting = Noting { sessions: self.sessions.clone(), client, process };
        let suspects = careful.then(|| -> Arc<dyn Suspects> { Arc::new(noting.clone()) });
        let mut calm = Calm(Some(noting));
        match adopt(&self.shared, &session, Arc::new(Adopting(owner)), suspects).await {
            Ok(adopted) if adopted.finished => {
                calm.0 = None;
                tracing::info!(client = kept.client_id, messages = adopted.messages, "session finished");
            }
            Ok(adopted) => {
                tracing::info!(
                    client = kept.client_id,
                    messages = adopted.messages,
                    "the session is not finished; a replica continues with it"
                );
            }
            Err(why) => {
                tracing::warn!(client = kept.client_id, "{why}");
                self.give_up(kept).await;
            }
        }
        calm.say().await;
    }

    /// How many processes have begun to finish it before, and did not end that. While the store is away: none; its messages
    /// do not wait for it.
    async fn begin(&self, kept: &Kept) -> u32 {
        self.sessions.begin(&kept.client_id).await.unwrap_or_else(|error| {
            tracing::debug!(%error, client = kept.client_id, "cannot note that an MQTT session is being finished");
            0
        })
    }

    async fn give_up(&self, kept: &Kept) {
        if let Err(error) = self.sessions.give_up(kept).await {
            tracing::debug!(%error, client = kept.client_id, "cannot give up an MQTT session");
        }
        // Nothing is to be done until it is forgotten; not so often either.
        tokio::time::sleep(self.ttl).await;
    }
}
