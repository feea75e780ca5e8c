//! Places and moves the members of groups: whoever holds the lease takes the next step.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_store::{Acquire, Lease, Store};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::ledger::Ledger;
use super::observe::observe;
use crate::audit::{AuditEntry, AuditLog};
use crate::changes::Changes;
use crate::error::GroupError;
use crate::host::Hosts;
use crate::keys;
use crate::placement::{Decision, Placement, PlacementRules, PlacementView, decide};

/// How often it is looked while members start, move or leave: replicas become ready without a change that is watched.
const BUSY: Duration = Duration::from_millis(250);
/// The same while nothing is under way: hosts die without a change that is watched.
const CALM: Duration = Duration::from_secs(1);

/// Places and moves members. Every agent runs one; a lease says who decides, and the compare-and-swap on the document makes
/// sure that nobody decides from what is not so any more.
pub struct Scheduler {
    store: Arc<dyn Store>,
    ledger: Ledger,
    holder: String,
    ttl: Duration,
    rules: PlacementRules,
    lease: Option<Lease>,
    /// Upgrade leases of the groups of which a member moves: no rollout moves another.
    moving: HashMap<String, Lease>,
    changes: Changes,
    busy: bool,
    /// The last turn failed, which is logged once.
    failing: bool,
    /// Why the last decision left something undone, so that it is logged once.
    notes: Vec<(String, String)>,
}

impl Scheduler {
    /// A scheduler. `holder` is unique per process, `ttl` how long its lease outlives it.
    pub fn new(store: Arc<dyn Store>, holder: &str, ttl: Duration, rules: PlacementRules) -> Scheduler {
        let prefixes = vec![Ledger::key(), keys::GROUPS.to_owned(), Hosts::prefix()];
        Scheduler {
            ledger: Ledger::new(store.clone()),
            changes: Changes::new(store.clone(), prefixes),
            store,
            holder: holder.to_owned(),
            ttl,
            rules,
            lease: None,
            moving: HashMap::new(),
            busy: false,
            failing: false,
            notes: Vec::new(),
        }
    }

    /// Places what is missing now, before it runs.
    ///
    /// # Errors
    /// What the store said.
    pub async fn place_now(&mut self) -> Result<(), GroupError> {
        self.turn(false).await
    }

    /// Runs until `stop`, then gives its leases back. `may_judge` is true while this process can tell dead hosts from an
    /// outage of its own.
    pub async fn run(mut self, may_judge: watch::Receiver<bool>, stop: CancellationToken) {
        loop {
            let tick = if self.busy { BUSY } else { CALM };
            tokio::select! {
                _ = self.changes.next() => {}
                () = tokio::time::sleep(tick) => {}
                () = stop.cancelled() => return self.release().await,
            }
            let judges = *may_judge.borrow();
            match self.turn(judges).await {
                Ok(()) => self.failing = false,
                Err(GroupError::Store(error)) if error.is_fenced() => {
                    tracing::debug!("another process places replicas now");
                    self.lease = None;
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        tracing::warn!(%error, "replicas cannot be placed now; those that run go on");
                    }
                    self.changes.look_again();
                }
            }
        }
    }

    async fn turn(&mut self, may_judge: bool) -> Result<(), GroupError> {
        let Some(lease) = self.hold().await? else {
            self.busy = false;
            return Ok(());
        };
        let (before, expect) = self.ledger.load().await?;
        let mut seen = observe(&self.store, &before, self.rules, may_judge).await?;
        let mut decision = decide(&before, &seen);
        // A move is made under the lease that rollouts move replicas under.
        while let Some(group) = self.without_lease(&decision).await? {
            seen.groups.iter_mut().filter(|seen| seen.name == group).for_each(|seen| seen.locked = true);
            decision = decide(&before, &seen);
        }
        let upgrades = decision.placement.upgrade.as_ref().is_some_and(flotilla_api::placement::Upgrade::is_active);
        self.busy =
            upgrades
                || decision.placement.groups.values().any(|places| {
                    !places.fresh.is_empty() || !places.leaving.is_empty() || !places.replaces.is_empty()
                });
        if decision.placement != before {
            if !self.ledger.swap(&decision.placement, expect, Some(lease.fence())).await? {
                self.changes.look_again();
                return Ok(());
            }
            self.record(&decision, &lease, seen.now_ms).await?;
        }
        self.let_go(&decision.placement, &seen).await;
        if self.notes != decision.notes {
            // What is told of a group and of all is one line.
            let of_a_group =
                |note: &String| decision.notes.iter().any(|(group, other)| !group.is_empty() && other == note);
            let new = decision.notes.iter().filter(|note| !self.notes.contains(note));
            for (group, note) in new.filter(|(group, note)| !group.is_empty() || !of_a_group(note)) {
                tracing::info!(group, "{note}");
            }
            self.notes = decision.notes;
        }
        Ok(())
    }

    /// A group of which the decision moves a member while another process has its upgrade lease.
    async fn without_lease(&mut self, decision: &Decision) -> Result<Option<String>, GroupError> {
        let moves = |action: &str| matches!(action, "member-moves" | "member-replaced" | "member-leaves");
        for outcome in decision.outcomes.iter().filter(|outcome| moves(outcome.action)) {
            if self.moving.get(&outcome.group).is_some_and(Lease::is_live) {
                continue;
            }
            let name = keys::upgrade_lease(&outcome.group);
            match self.store.acquire(&name, &self.holder, self.ttl).await? {
                Acquire::Granted(lease) => drop(self.moving.insert(outcome.group.clone(), lease)),
                Acquire::Held(_) => return Ok(Some(outcome.group.clone())),
            }
        }
        Ok(None)
    }

    /// Keeps the upgrade leases of groups of which a member moves, and gives the others back. A member that does not become
    /// ready holds no rollout up for longer than it may take to start.
    async fn let_go(&mut self, placement: &Placement, seen: &PlacementView) {
        let upgrade = placement.upgrade.as_ref().filter(|upgrade| upgrade.is_active());
        let trial = upgrade.and_then(|upgrade| upgrade.trial.as_ref()).map(|trial| trial.group.as_str());
        let moves = |group: &str| {
            trial == Some(group)
                || placement.groups.get(group).is_some_and(|places| {
                    let starting = places.fresh.values().any(|since| seen.now_ms < since + seen.rules.start_ms);
                    starting || !places.leaving.is_empty()
                })
        };
        for (group, lease) in std::mem::take(&mut self.moving) {
            let kept = if moves(&group) {
                self.store.renew(&lease).await.map(Some)
            } else {
                self.store.release(&lease).await.map(|_| None)
            };
            match kept {
                Ok(Some(lease)) => drop(self.moving.insert(group, lease)),
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, group, "the upgrade lease will expire"),
            }
        }
    }

    async fn record(&self, decision: &Decision, lease: &Lease, now_ms: u64) -> Result<(), GroupError> {
        for outcome in &decision.outcomes {
            let (group, member, why) = (&outcome.group, &outcome.member, &outcome.why);
            match outcome.action {
                // At a first start these are the first lines that a user sees: the reason says all.
                "member-placed" => tracing::info!(group, member, "{why}"),
                action => tracing::info!(group, member, "{action}: {why}"),
            }
            let entry = AuditEntry {
                time_ms: now_ms,
                actor: self.holder.clone(),
                action: outcome.action.to_owned(),
                replica: outcome.member.clone(),
                why: outcome.why.clone(),
                token: lease.token,
                ..AuditEntry::default()
            };
            let log = match outcome.group.as_str() {
                "" => AuditLog::system(self.store.clone()),
                group => AuditLog::new(self.store.clone(), group)?,
            };
            log.write(entry).await?;
        }
        Ok(())
    }

    /// The lease, when it is ours.
    async fn hold(&mut self) -> Result<Option<Lease>, GroupError> {
        if let Some(lease) = self.lease.take().filter(Lease::is_live) {
            let lease = if lease.remaining() < self.ttl / 3 * 2 { self.store.renew(&lease).await? } else { lease };
            self.lease = Some(lease.clone());
            return Ok(Some(lease));
        }
        self.lease = self.store.acquire(keys::PLACEMENT_LEASE, &self.holder, self.ttl).await?.granted();
        Ok(self.lease.clone())
    }

    async fn release(&mut self) {
        let began = Instant::now();
        for lease in self.lease.take().into_iter().chain(self.moving.drain().map(|(_, lease)| lease)) {
            if let Err(error) = self.store.release(&lease).await {
                tracing::debug!(%error, waited = ?began.elapsed(), "a lease was not released; it will expire");
            }
        }
    }
}
