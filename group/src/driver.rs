//! Drives rollouts: whoever holds the group's upgrade lease takes the next step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flotilla_store::{Acquire, Lease, Moment, Store};
use tokio_util::sync::CancellationToken;

use crate::audit::{AuditEntry, AuditLog};
use crate::changes::Changes;
use crate::desired::DesiredStates;
use crate::error::GroupError;
use crate::host::Hosts;
use crate::keys;
use crate::member::Registry;
use crate::rollout::{Action, Actor, GroupView, decide};

/// How often a rollout that runs is looked at, whatever changes: its deadlines come without a change.
const TICK: Duration = Duration::from_millis(200);

/// Drives the rollouts of a group. Every replica and gateway runs one; the upgrade lease says who acts. A holder that
/// dies loses the lease and another goes on from what the store says; a holder that stalls cannot act late, because
/// each step is written under the lease's fence.
pub struct Driver {
    store: Arc<dyn Store>,
    group: String,
    desired: DesiredStates,
    registry: Registry,
    audit: AuditLog,
    holder: String,
    ttl: Duration,
    lease: Option<Lease>,
    /// How many entries of the rollout's log are in the audit log.
    copied: usize,
    /// When the store last did not answer. Records run out while it is away; nobody counts as dead before they had time
    /// to come back.
    away: Option<Moment>,
    /// Changes of the desired state.
    changes: Changes,
    /// Changes of the replicas, while this process takes the steps.
    members: Option<Changes>,
    /// A rollout runs.
    active: bool,
}

impl Driver {
    /// A driver. `holder` is unique per process, `ttl` how long the upgrade lease outlives a dead holder.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str, holder: &str, ttl: Duration) -> Result<Driver, GroupError> {
        let desired = DesiredStates::new(store.clone(), group)?;
        Ok(Driver {
            changes: Changes::new(store.clone(), vec![desired.key()]),
            members: None,
            active: false,
            desired,
            registry: Registry::new(store.clone(), group)?,
            audit: AuditLog::new(store.clone(), group)?,
            store,
            group: group.to_owned(),
            holder: holder.to_owned(),
            ttl,
            lease: None,
            copied: 0,
            away: None,
        })
    }

    /// Runs until `stop`, then gives the lease back.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = self.wait() => {}
                () = stop.cancelled() => return self.release().await,
            }
            match self.turn().await {
                Ok(()) => {}
                Err(GroupError::Store(error)) if error.is_fenced() => {
                    tracing::warn!("the upgrade lease went to another process; it drives the rollout now");
                    self.lease = None;
                }
                Err(error) => {
                    tracing::warn!(%error, "the rollout waits");
                    self.away = Some(Moment::now());
                    self.changes.look_again();
                }
            }
        }
    }

    /// Until there may be something to do.
    async fn wait(&mut self) {
        if !self.active {
            self.members = None;
            self.changes.next().await;
            return;
        }
        if self.lease.is_none() {
            self.members = None;
        } else if self.members.is_none() {
            let prefixes = vec![keys::members(&self.group), keys::MEMBERSHIPS.to_owned()];
            self.members = Some(Changes::new(self.store.clone(), prefixes));
        }
        let members = async {
            match &mut self.members {
                Some(members) => drop(members.next().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.changes.next() => {}
            () = members => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }

    async fn turn(&mut self) -> Result<(), GroupError> {
        let Some((mut state, version)) = self.desired.load().await? else { return Ok(()) };
        self.active = state.active().is_some();
        let Some(rollout) = state.rollout.as_mut().filter(|rollout| rollout.is_active()) else {
            self.release().await;
            return Ok(());
        };
        if self.away.is_some_and(|away| away.elapsed() < self.ttl) {
            return Ok(());
        }
        self.away = None;
        let Some((lease, fresh)) = self.hold().await? else { return Ok(()) };
        if fresh {
            // A holder that died between a step and its entry in the audit log left that to its successor.
            self.copied = 0;
        }
        self.copy(&rollout.log).await?;
        let zones = match rollout.rules.min_zones {
            Some(_) => Hosts::new(self.store.clone()).zones().await?,
            None => BTreeMap::new(),
        };
        let seen = GroupView { now_ms: self.desired.now_ms().await?, replicas: self.registry.staying().await?, zones };
        let action = decide(rollout, &seen);
        if matches!(action, Action::Wait { .. }) {
            return Ok(());
        }
        let before = rollout.log.len();
        rollout.apply(&action, &Actor { origin: self.holder.as_str().into(), token: lease.token, now_ms: seen.now_ms });
        let log = rollout.log.clone();
        state.settle();
        if self.desired.swap(&state, version, Some(lease.fence())).await? {
            for entry in log.iter().skip(before) {
                let AuditEntry { action, replica, why, .. } = entry;
                tracing::info!(group = self.group, replica, why, "rollout: {action}");
            }
            self.copy(&log).await?;
        }
        Ok(())
    }

    async fn copy(&mut self, log: &[AuditEntry]) -> Result<(), GroupError> {
        self.audit.copy(log, self.copied).await?;
        self.copied = log.len();
        Ok(())
    }

    /// The lease, when it is ours; true when it was not before.
    async fn hold(&mut self) -> Result<Option<(Lease, bool)>, GroupError> {
        if let Some(lease) = self.lease.take().filter(Lease::is_live) {
            let lease = if lease.remaining() < self.ttl / 3 * 2 { self.store.renew(&lease).await? } else { lease };
            self.lease = Some(lease.clone());
            return Ok(Some((lease, false)));
        }
        match self.store.acquire(&keys::upgrade_lease(&self.group), &self.holder, self.ttl).await? {
            Acquire::Granted(lease) => {
                self.lease = Some(lease.clone());
                Ok(Some((lease, true)))
            }
            Acquire::Held(_) => Ok(None),
        }
    }

    async fn release(&mut self) {
        if let Some(lease) = self.lease.take()
            && let Err(error) = self.store.release(&lease).await
        {
            tracing::debug!(%error, "the upgrade lease was not released; it will expire");
        }
    }
}
