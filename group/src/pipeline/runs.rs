//! The runs of a pipeline in the store.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::pipeline::{NewRun, PipelineSpec, Run};
use flotilla_store::{Acquire, Expect, Fence, Lease, Store, Write};

use super::run::begin;
use crate::audit::AuditLog;
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;
/// So many runs of a pipeline are active at once.
const ACTIVE: usize = 20;
/// So many runs are kept.
pub(super) const KEPT: usize = 200;

/// The runs of a pipeline.
#[derive(Clone)]
pub struct Runs {
    pub(super) store: Arc<dyn Store>,
    pub(super) pipeline: String,
}

impl Runs {
    /// The runs of a pipeline.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, pipeline: &str) -> Result<Runs, GroupError> {
        keys::check("pipeline name", pipeline)?;
        Ok(Runs { store, pipeline: pipeline.to_owned() })
    }

    /// All that are kept, oldest first.
    pub async fn list(&self) -> Result<Vec<Run>, GroupError> {
        let entries = self.store.list(&keys::pipeline_runs(&self.pipeline)).await?;
        entries.iter().map(|entry| keys::read("a run of a pipeline", entry)).collect()
    }

    /// A run and its version.
    ///
    /// # Errors
    /// [`GroupError::NoSuch`].
    pub async fn get(&self, number: u64) -> Result<(Run, u64), GroupError> {
        let entry = self.store.get(&keys::pipeline_run(&self.pipeline, number)).await?;
        let entry = entry.ok_or_else(|| GroupError::NoSuch {
            code: "no_such_run",
            what: format!("pipeline \"{}\" has no run", self.pipeline),
            name: number.to_string(),
            see: "flotilla pipeline history",
        })?;
        Ok((keys::read("a run of a pipeline", &entry)?, entry.version))
    }

    /// Records a run that begins now; it waits for those that are active. The oldest that are over are forgotten.
    ///
    /// # Errors
    /// [`GroupError::Invalid`].
    pub async fn begin(&self, spec: &PipelineSpec, new: &NewRun, actor: &str) -> Result<Run, GroupError> {
        let now = self.now_ms().await?;
        // What is wrong is told before a number is taken.
        begin(spec, new, 0, actor, now)?;
        let active = self.list().await?.iter().filter(|run| run.is_active()).count();
        if active >= ACTIVE {
            let reason = format!("{active} runs of pipeline \"{}\" are active: cancel some, or wait", self.pipeline);
            return Err(GroupError::Conflict { code: "too_many_runs", reason });
        }
        if let Some(once) = &new.once
            && let Some(first) = self.first_for(once).await?
        {
            return Ok(first);
        }
        let number = self.store.incr(&keys::pipeline_count(&self.pipeline), 1.0).await? as u64;
        let run = begin(spec, new, number, actor, now)?;
        let key = keys::pipeline_run(&self.pipeline, number);
        if let Some(once) = &new.once {
            let first = self.begin_once(once, &run).await?;
            if first.number != number {
                return Ok(first);
            }
        } else {
            self.store.cas(&key, Expect::Absent, Some(keys::encode(&run)), Write::default()).await?;
        }
        self.copy(&run, 0, false).await?;
        let all = self.list().await?;
        let over = all.iter().filter(|run| !run.is_active());
        for old in over.take(all.len().saturating_sub(KEPT)) {
            self.store.delete(&keys::pipeline_run(&self.pipeline, old.number), None).await?;
        }
        Ok(run)
    }

    /// Writes a changed run if it is still at `version`. False when it is not. New entries of its log are copied to the audit
    /// logs of its groups.
    pub async fn swap(&self, run: &Run, version: u64, before: usize, fence: Option<Fence>) -> Result<bool, GroupError> {
        let key = keys::pipeline_run(&self.pipeline, run.number);
        let write = Write { ttl: None, fence };
        let swapped = self.store.cas(&key, Expect::Version(version), Some(keys::encode(run)), write).await?;
        if !swapped.is_swapped() {
            return Ok(false);
        }
        self.copy(run, before, false).await?;
        Ok(true)
    }

    /// Changes a run for a user.
    ///
    /// # Errors
    /// What `change` answers; [`GroupError::Busy`].
    pub async fn change(
        &self,
        number: u64,
        change: impl Fn(&mut Run, u64) -> Result<(), GroupError>,
    ) -> Result<Run, GroupError> {
        for _ in 0..ATTEMPTS {
            let (mut run, version) = self.get(number).await?;
            let before = run.log.len();
            change(&mut run, self.now_ms().await?)?;
            if self.swap(&run, version, before, None).await? {
                return Ok(run);
            }
        }
        Err(GroupError::Busy { group: self.pipeline.clone() })
    }

    /// The lease on taking the pipeline's next step. `None` while another process has it.
    pub async fn hold(&self, holder: &str, ttl: Duration) -> Result<Option<Lease>, GroupError> {
        match self.store.acquire(&keys::pipeline_lease(&self.pipeline), holder, ttl).await? {
            Acquire::Granted(lease) => Ok(Some(lease)),
            Acquire::Held(_) => Ok(None),
        }
    }

    /// Extends the lease.
    pub async fn renew(&self, lease: &Lease) -> Result<Lease, GroupError> {
        Ok(self.store.renew(lease).await?)
    }

    /// Gives the lease back.
    pub async fn release(&self, lease: &Lease) -> Result<(), GroupError> {
        self.store.release(lease).await?;
        Ok(())
    }

    /// The store's clock in milliseconds since the epoch.
    pub async fn now_ms(&self) -> Result<u64, GroupError> {
        now_ms(&*self.store).await
    }

    pub(super) async fn remove_all(&self) -> Result<(), GroupError> {
        for entry in self.store.list(&keys::pipeline_runs(&self.pipeline)).await? {
            self.store.delete(&entry.key, None).await?;
        }
        for entry in self.store.list(&keys::pipeline_onces(&self.pipeline)).await? {
            self.store.delete(&entry.key, None).await?;
        }
        Ok(())
    }

    /// Copies the last entries of a run's log to the audit logs of the pipeline's groups, where they are missing: who wrote
    /// them may have died before.
    pub async fn mend(&self, run: &Run) -> Result<(), GroupError> {
        self.copy(run, run.log.len().saturating_sub(3), true).await
    }

    pub(super) async fn copy(&self, run: &Run, first: usize, missing: bool) -> Result<(), GroupError> {
        let groups: Vec<&String> = run.pipeline.stages.iter().filter_map(|stage| stage.group.as_ref()).collect();
        if groups.is_empty() {
            // What goes on elsewhere alone is of no group here.
            return AuditLog::system(self.store.clone()).copy_run(&run.log, first, missing).await;
        }
        for group in groups {
            let audit = AuditLog::new(self.store.clone(), group)?;
            audit.copy_run(&run.log, first, missing).await?;
        }
        Ok(())
    }
}
