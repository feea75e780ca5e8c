//! A host's place in the store, kept by signs of life.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::placement::{HostFacts, HostLoad};
use flotilla_store::{Acquire, Lease, Moment, Store, StoreError, Write};

use crate::error::GroupError;
use crate::keys;

/// A host under the lease on its name.
pub struct HostRegistration {
    store: Arc<dyn Store>,
    facts: HostFacts,
    holder: String,
    ttl: Duration,
    lease: Lease,
    /// Since when each sign of life came in time; `None` while the store is away.
    unbroken: Option<Moment>,
    beats: u64,
}

/// How a sign of life went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    /// It was given.
    Given,
    /// The store did not answer.
    Unknown(String),
    /// Another agent has the host's name now.
    Lost,
}

impl HostRegistration {
    /// Signs of life within one lease.
    pub const BEATS_PER_LEASE: u32 = 3;

    /// Takes a host's name. `holder` names the process, among all on all machines; `load` is the first sign of life.
    ///
    /// # Errors
    /// [`GroupError::HostTaken`] while another process holds it, [`GroupError::BadName`], or what the store said.
    pub async fn join(
        store: Arc<dyn Store>,
        facts: HostFacts,
        holder: &str,
        ttl: Duration,
        load: HostLoad,
    ) -> Result<HostRegistration, GroupError> {
        keys::check("host name", &facts.name)?;
        let lease = match store.acquire(&keys::agent(&facts.name), holder, ttl).await? {
            Acquire::Granted(lease) => lease,
            Acquire::Held(held) => {
                return Err(GroupError::HostTaken { host: facts.name, remaining_ms: held.remaining.as_millis() });
            }
        };
        let mut registration =
            HostRegistration { store, facts, holder: holder.to_owned(), ttl, lease, unbroken: None, beats: 0 };
        // A host that is seen without a sign of life counts as lost: the first one comes before what it is.
        registration.give(load).await?;
        registration.tell().await?;
        Ok(registration)
    }

    /// Gives a sign of life; takes the lease up again when it ran out and nobody has it.
    pub async fn beat(&mut self, load: HostLoad) -> Beat {
        let sent = Moment::now();
        let beat = match self.give(load).await {
            Ok(beat) => beat,
            Err(error) => Beat::Unknown(error.to_string()),
        };
        // A pause of this process is an outage, too.
        let in_time = beat == Beat::Given && sent.elapsed() < self.ttl;
        self.unbroken = if in_time { self.unbroken.or(Some(sent)) } else { None };
        beat
    }

    /// True when a host without a lease can be taken for dead: for a whole lease now every sign of life of our own came in
    /// time, so that all who live have had the time to give theirs since the last outage.
    pub fn may_judge(&self) -> bool {
        self.lease.is_live() && self.unbroken.is_some_and(|since| since.elapsed() >= self.ttl)
    }

    /// Gives the name back: what is placed there is lost.
    pub async fn leave(self) {
        let removed = self.store.delete(&keys::agent_beat(&self.facts.name), Some(self.lease.fence())).await.map(drop);
        if let Err(error) = removed.and(self.store.release(&self.lease).await.map(drop)) {
            tracing::warn!(%error, "cannot leave the registry of hosts; the lease will expire");
        }
    }

    async fn give(&mut self, mut load: HostLoad) -> Result<Beat, StoreError> {
        match self.store.renew(&self.lease).await {
            Ok(lease) => self.lease = lease,
            Err(StoreError::Fenced { .. }) => {
                match self.store.acquire(&keys::agent(&self.facts.name), &self.holder, self.ttl).await? {
                    Acquire::Granted(lease) => {
                        self.lease = lease;
                        self.unbroken = None;
                        self.tell().await?;
                    }
                    Acquire::Held(_) => return Ok(Beat::Lost),
                }
            }
            Err(error) => return Err(error),
        }
        self.beats += 1;
        load.beat = self.beats;
        let write = Write { ttl: Some(self.ttl), fence: Some(self.lease.fence()) };
        self.store.set(&keys::agent_beat(&self.facts.name), keys::encode(&load), write).await?;
        Ok(Beat::Given)
    }

    async fn tell(&mut self) -> Result<(), StoreError> {
        let write = Write::fenced(self.lease.fence());
        self.store.set(&keys::agent(&self.facts.name), keys::encode(&self.facts), write).await.map(drop)
    }
}
