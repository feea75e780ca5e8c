//! A group's desired state in the store.

use std::sync::Arc;

use flotilla_api::audit::Origin;
use flotilla_api::group::Pause;
use flotilla_store::{Cas, Expect, Fence, Store, Write};

use super::state::DesiredState;
use crate::audit::AuditLog;
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;
use crate::member::Registry;
use crate::rollout::{Action, Actor, GroupView, Rollout, Rules};

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;

/// A group's desired state in the store.
#[derive(Clone)]
pub struct DesiredStates {
    store: Arc<dyn Store>,
    group: String,
}

impl DesiredStates {
    /// The desired state of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<DesiredStates, GroupError> {
        keys::check("group name", group)?;
        Ok(DesiredStates { store, group: group.to_owned() })
    }

    /// Where the store keeps it: what [`Changes`](crate::Changes) are to be of.
    pub fn key(&self) -> String {
        keys::desired(&self.group)
    }

    /// The desired state and its version; `None` before the first revision.
    pub async fn load(&self) -> Result<Option<(DesiredState, u64)>, GroupError> {
        let Some(entry) = self.store.get(&keys::desired(&self.group)).await? else { return Ok(None) };
        Ok(Some((keys::read("a group's desired state", &entry)?, entry.version)))
    }

    /// The store's clock in milliseconds since the epoch.
    pub async fn now_ms(&self) -> Result<u64, GroupError> {
        now_ms(&*self.store).await
    }

    /// The process that holds the group's upgrade lease, if one does.
    pub async fn driver(&self) -> Result<Option<String>, GroupError> {
        let name = keys::upgrade_lease(&self.group);
        let held = self.store.leases(&name).await?;
        Ok(held.into_iter().find(|lease| lease.name == name).map(|lease| lease.holder))
    }

    /// Sets the first revision of a group; one that has one keeps it. Returns what it ends with.
    pub async fn set_if_none(&self, revision: &str) -> Result<String, GroupError> {
        let value = keys::encode(&DesiredState::new(revision));
        match self.store.cas(&keys::desired(&self.group), Expect::Absent, Some(value), Write::default()).await? {
            Cas::Conflict(Some(entry)) => {
                let state: DesiredState = keys::read("a group's desired state", &entry)?;
                Ok(state.goal().to_owned())
            }
            Cas::Conflict(None) | Cas::Swapped(_) => Ok(revision.to_owned()),
        }
    }

    /// Writes a changed desired state if it is still at `version`. False when it is not.
    pub async fn swap(&self, state: &DesiredState, version: u64, fence: Option<Fence>) -> Result<bool, GroupError> {
        let write = Write { ttl: None, fence };
        let key = keys::desired(&self.group);
        Ok(self.store.cas(&key, Expect::Version(version), Some(keys::encode(state)), write).await?.is_swapped())
    }

    /// Begins a rollout to a recorded revision.
    ///
    /// # Errors
    /// [`GroupError::RolloutActive`] while another runs, [`GroupError::Rules`] for rules that the group cannot follow,
    /// [`GroupError::Unchanged`] when the group runs this revision already, [`GroupError::BaseChanged`] when it runs another
    /// than `base`, where one is given.
    pub async fn begin(
        &self,
        revision: &str,
        base: Option<&str>,
        rules: &Rules,
        why: &str,
        by: impl Into<Origin>,
    ) -> Result<Rollout, GroupError> {
        self.begin_after(revision, base, None, rules, why, by).await
    }

    /// The same unless another rollout than that of the number `last` (0: none) was the last one.
    ///
    /// # Errors
    /// As [`DesiredStates::begin`]; [`GroupError::Conflict`] with `overtaken` when another has begun.
    pub async fn begin_after(
        &self,
        revision: &str,
        base: Option<&str>,
        last: Option<u64>,
        rules: &Rules,
        why: &str,
        by: impl Into<Origin>,
    ) -> Result<Rollout, GroupError> {
        let origin = by.into();
        let registry = Registry::new(self.store.clone(), &self.group)?;
        for _ in 0..ATTEMPTS {
            let Some((mut state, version)) = self.load().await? else {
                if let Some(rollout) = self.first(revision, rules, why, &origin).await? {
                    return Ok(rollout);
                }
                continue;
            };
            if let Some(active) = state.active() {
                return Err(GroupError::RolloutActive { group: self.group.clone(), number: active.number });
            }
            let number = state.rollout.as_ref().map_or(0, |rollout| rollout.number);
            if last.is_some_and(|last| last != number) {
                let reason =
                    format!("rollout {number} of group \"{}\" has begun and ended meanwhile: look again", self.group);
                return Err(GroupError::Conflict { code: "overtaken", reason });
            }
            if let Some(pause) = &state.pause {
                let reason = format!(
                    "group \"{}\" is paused by {}: let it go on first with `flotilla group resume {0}`; replicas that take no \
                     work prove no revision",
                    self.group, pause.actor
                );
                return Err(GroupError::Conflict { code: "group_paused", reason });
            }
            if let Some(base) = base.filter(|base| *base != state.revision) {
                let (group, now) = (self.group.clone(), state.revision);
                return Err(GroupError::BaseChanged { group, base: base.to_owned(), now, changed: String::new() });
            }
            if state.revision == revision {
                return Err(GroupError::Unchanged { group: self.group.clone(), revision: revision.to_owned() });
            }
            if let Some(last) = &state.rollout {
                // Its holder may have died before it copied the last entries.
                AuditLog::new(self.store.clone(), &self.group)?.copy(&last.log, 0).await?;
            }
            let replicas = registry.staying().await?;
            let seen = GroupView { now_ms: self.now_ms().await?, replicas, ..GroupView::default() };
            if let Some((field, reason)) = rules.problem(seen.replicas.len()) {
                return Err(GroupError::Rules { field, reason });
            }
            let by = Actor { origin: origin.clone(), token: 0, now_ms: seen.now_ms };
            let number = state.next_number();
            let rollout = Rollout::begin(number, &state.revision, revision, rules.clone(), &seen, why, &by);
            state.rollout = Some(rollout.clone());
            if self.swap(&state, version, None).await? {
                return Ok(rollout);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }

    /// Gives a group its first revision: its replicas run nothing yet, so none has to move. `None` when somebody else did.
    async fn first(
        &self,
        revision: &str,
        rules: &Rules,
        why: &str,
        origin: &Origin,
    ) -> Result<Option<Rollout>, GroupError> {
        let by = Actor { origin: origin.clone(), token: 0, now_ms: self.now_ms().await? };
        let nobody = GroupView { now_ms: by.now_ms, ..GroupView::default() };
        let mut rollout = Rollout::begin(1, revision, revision, rules.clone(), &nobody, why, &by);
        rollout.apply(&Action::End, &by);
        let state = DesiredState { rollout: Some(rollout.clone()), ..DesiredState::new(revision) };
        let key = keys::desired(&self.group);
        let swapped = self.store.cas(&key, Expect::Absent, Some(keys::encode(&state)), Write::default()).await?;
        if !swapped.is_swapped() {
            return Ok(None);
        }
        AuditLog::new(self.store.clone(), &self.group)?.copy(&rollout.log, 0).await?;
        Ok(Some(rollout))
    }

    /// Pauses the group (`why`), or lets it go on. False when it was so already.
    ///
    /// # Errors
    /// [`GroupError::RolloutActive`] while a rollout runs: replicas that take no work prove nothing.
    pub async fn set_pause(&self, paused: bool, why: &str, actor: &str) -> Result<bool, GroupError> {
        for _ in 0..ATTEMPTS {
            let Some((mut state, version)) = self.load().await? else {
                let reason = format!("group \"{}\" has no revision yet: there is nothing to pause", self.group);
                return Err(GroupError::Conflict { code: "no_revision", reason });
            };
            if state.pause.is_some() == paused {
                return Ok(false);
            }
            if let Some(active) = state.active() {
                return Err(GroupError::RolloutActive { group: self.group.clone(), number: active.number });
            }
            let pause = Pause { since_ms: self.now_ms().await?, actor: actor.to_owned(), why: why.to_owned() };
            state.pause = paused.then_some(pause);
            if self.swap(&state, version, None).await? {
                return Ok(true);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }

    /// Takes a replica out of the rollout that runs, if there is one: nobody waits for it, and it is no failure.
    pub async fn take_out(&self, replica: &str, by: impl Into<Origin>) -> Result<(), GroupError> {
        match self.change(by, |rollout, by| rollout.take_out(replica, by)).await {
            Ok(_) | Err(GroupError::NoRollout { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Changes the rollout that runs. `change` answers false when there is nothing to change.
    ///
    /// # Errors
    /// [`GroupError::NoRollout`] when none runs or `change` answered false.
    pub async fn change(
        &self,
        by: impl Into<Origin>,
        mut change: impl FnMut(&mut Rollout, &Actor) -> bool,
    ) -> Result<Rollout, GroupError> {
        let origin = by.into();
        for _ in 0..ATTEMPTS {
            let none = || GroupError::NoRollout { group: self.group.clone() };
            let (mut state, version) = self.load().await?.ok_or_else(none)?;
            let by = Actor { origin: origin.clone(), token: 0, now_ms: self.now_ms().await? };
            let rollout = state.rollout.as_mut().filter(|rollout| rollout.is_active()).ok_or_else(none)?;
            if !change(rollout, &by) {
                return Err(none());
            }
            let changed = rollout.clone();
            if self.swap(&state, version, None).await? {
                return Ok(changed);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }
}
