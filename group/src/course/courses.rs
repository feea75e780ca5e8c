//! A group's course in the store.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use flotilla_store::{Cas, Expect, Fence, Store, Write};

use super::course_type::Course;
use crate::audit::AuditLog;
use crate::error::GroupError;
use crate::keys;
use crate::member::Registry;
use crate::rollout::{Action, Actor, Rollout, Rules, Seen};

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;

/// A group's course in the store.
#[derive(Clone)]
pub struct Courses {
    store: Arc<dyn Store>,
    group: String,
}

impl Courses {
    /// The course of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str) -> Result<Courses, GroupError> {
        keys::check("group name", group)?;
        Ok(Courses { store, group: group.to_owned() })
    }

    /// The course and its version; `None` before the first revision.
    pub async fn load(&self) -> Result<Option<(Course, u64)>, GroupError> {
        let Some(entry) = self.store.get(&keys::course(&self.group)).await? else { return Ok(None) };
        Ok(Some((keys::read("a group's course", &entry)?, entry.version)))
    }

    /// The store's clock in milliseconds since the epoch.
    pub async fn now_ms(&self) -> Result<u64, GroupError> {
        Ok(self.store.now().await?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64))
    }

    /// The process that holds the group's upgrade lease, if one does.
    pub async fn driver(&self) -> Result<Option<String>, GroupError> {
        let name = keys::upgrade_lease(&self.group);
        let held = self.store.leases(&name).await?;
        Ok(held.into_iter().find(|lease| lease.name == name).map(|lease| lease.holder))
    }

    /// Sets the first revision of a group; one that has a course keeps it. Returns what it ends with.
    pub async fn set_if_none(&self, revision: &str) -> Result<String, GroupError> {
        let value = encode(&Course::new(revision));
        match self.store.cas(&keys::course(&self.group), Expect::Absent, Some(value), Write::default()).await? {
            Cas::Conflict(Some(entry)) => {
                let course: Course = keys::read("a group's course", &entry)?;
                Ok(course.goal().to_owned())
            }
            Cas::Conflict(None) | Cas::Swapped(_) => Ok(revision.to_owned()),
        }
    }

    /// Sets the revision at once, without a rollout: for a group that has no replicas yet. What was rolled out ends.
    pub async fn set(&self, revision: &str) -> Result<(), GroupError> {
        let previous = self.load().await?.map(|(course, _)| course);
        let mut course = previous.unwrap_or_else(|| Course::new(revision));
        if let Some(rollout) = course.rollout.as_mut().filter(|rollout| rollout.is_active()) {
            rollout.phase = crate::rollout::Phase::Returned;
            rollout.reason = "the group was started anew".to_owned();
        }
        if course.revision != revision {
            course.previous = Some(std::mem::replace(&mut course.revision, revision.to_owned()));
        }
        self.store.set(&keys::course(&self.group), encode(&course), Write::default()).await?;
        Ok(())
    }

    /// Writes a changed course if it is still at `version`. False when it is not.
    pub async fn swap(&self, course: &Course, version: u64, fence: Option<Fence>) -> Result<bool, GroupError> {
        let write = Write { ttl: None, fence };
        let key = keys::course(&self.group);
        Ok(self.store.cas(&key, Expect::Version(version), Some(encode(course)), write).await?.is_swapped())
    }

    /// Begins a rollout to a recorded revision.
    ///
    /// # Errors
    /// [`GroupError::RolloutActive`] while another runs, [`GroupError::Rules`] for rules that the group cannot follow,
    /// [`GroupError::Unchanged`] when the group runs this revision already.
    pub async fn begin(&self, revision: &str, rules: &Rules, why: &str, actor: &str) -> Result<Rollout, GroupError> {
        let registry = Registry::new(self.store.clone(), &self.group)?;
        for _ in 0..ATTEMPTS {
            let Some((mut course, version)) = self.load().await? else {
                if let Some(rollout) = self.first(revision, rules, why, actor).await? {
                    return Ok(rollout);
                }
                continue;
            };
            if let Some(active) = course.active() {
                return Err(GroupError::RolloutActive { group: self.group.clone(), number: active.number });
            }
            if course.revision == revision {
                return Err(GroupError::Unchanged { group: self.group.clone(), revision: revision.to_owned() });
            }
            if let Some(last) = &course.rollout {
                // Its holder may have died before it copied the last entries.
                AuditLog::new(self.store.clone(), &self.group)?.copy(&last.log, 0).await?;
            }
            let seen = Seen { now_ms: self.now_ms().await?, replicas: registry.staying().await? };
            if let Some((field, reason)) = rules.problem(seen.replicas.len()) {
                return Err(GroupError::Rules { field, reason });
            }
            let by = Actor { name: actor.to_owned(), token: 0, now_ms: seen.now_ms };
            let number = course.next_number();
            let rollout = Rollout::begin(number, &course.revision, revision, rules.clone(), &seen, why, &by);
            course.rollout = Some(rollout.clone());
            if self.swap(&course, version, None).await? {
                return Ok(rollout);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }

    /// Gives a group its first revision: its replicas run nothing yet, so none has to move. `None` when somebody else did.
    async fn first(&self, revision: &str, rules: &Rules, why: &str, by: &str) -> Result<Option<Rollout>, GroupError> {
        let by = Actor { name: by.to_owned(), token: 0, now_ms: self.now_ms().await? };
        let nobody = Seen { now_ms: by.now_ms, replicas: Vec::new() };
        let mut rollout = Rollout::begin(1, revision, revision, rules.clone(), &nobody, why, &by);
        rollout.apply(&Action::End, &by);
        let course = Course { rollout: Some(rollout.clone()), ..Course::new(revision) };
        let key = keys::course(&self.group);
        let swapped = self.store.cas(&key, Expect::Absent, Some(encode(&course)), Write::default()).await?;
        if !swapped.is_swapped() {
            return Ok(None);
        }
        AuditLog::new(self.store.clone(), &self.group)?.copy(&rollout.log, 0).await?;
        Ok(Some(rollout))
    }

    /// Takes a replica out of the rollout that runs, if there is one: nobody waits for it, and it is no failure.
    pub async fn take_out(&self, replica: &str, actor: &str) -> Result<(), GroupError> {
        match self.change(actor, |rollout, by| rollout.take_out(replica, by)).await {
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
        actor: &str,
        mut change: impl FnMut(&mut Rollout, &Actor) -> bool,
    ) -> Result<Rollout, GroupError> {
        for _ in 0..ATTEMPTS {
            let none = || GroupError::NoRollout { group: self.group.clone() };
            let (mut course, version) = self.load().await?.ok_or_else(none)?;
            let by = Actor { name: actor.to_owned(), token: 0, now_ms: self.now_ms().await? };
            let rollout = course.rollout.as_mut().filter(|rollout| rollout.is_active()).ok_or_else(none)?;
            if !change(rollout, &by) {
                return Err(none());
            }
            let changed = rollout.clone();
            if self.swap(&course, version, None).await? {
                return Ok(changed);
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }
}

fn encode(course: &Course) -> Bytes {
    serde_json::to_vec(course).map(Bytes::from).unwrap_or_default()
}
